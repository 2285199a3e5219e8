/* gradus import -- take over weights from the files of other programs. */
#include <string.h>

#include "command.h"
#include "gradus/detector_import.h"
#include "gradus/file.h"

static const gd_option options[] = {
    {"--to", "FILE", 0, "The file to write (default: mtcnn.h5)."},
};

static gd_status import(const gd_arguments *a, const char *to)
{
  enum { MOST = 3 };
  const char *paths[MOST];
  const char *kind = gd_arguments_operand(a, 0);
  const int n = gd_arguments_n_operands(a) - 1;
  if (strcmp(kind, "mtcnn") != 0)
    return gd_fail(
        GD_ERR_USAGE,
        "import: '%s' is not a kind of weights that can be imported; "
        "mtcnn is",
        kind);
  if (gd_path_exists(to))
    return gd_fail(GD_ERR_USAGE,
                   "%s: exists; remove it, or choose another "
                   "name with --to",
                   to);
  for (int i = 0; i < n && i < MOST; i++)
    paths[i] = gd_arguments_operand(a, i + 1);
  return gd_detector_import(n, paths, to);
}

static int run(const gd_arguments *a)
{
  const char *to = gd_arguments_value(a, "--to");
  if (to == NULL)
    to = "mtcnn.h5";
  const gd_status st = import(a, to);
  if (st != GD_OK)
    return gd_command_failed(st);
  gd_text said = {0};
  gd_text_printf(&said, "%s: P-, R- and O-Net; use it with `detector: %s`\n",
                 to, to);
  return gd_command_print(&said);
}

const gd_command gd_command_import = {
    .name = "import",
    .operands = "mtcnn FILE...",
    .least = 2,
    .most = 4,
    .options = options,
    .n_options = sizeof options / sizeof options[0],
    .summary = "take over weights of other programs",
    .details =
        "gradus import mtcnn pnet.pt rnet.pt onet.pt     of facenet-pytorch\n"
        "gradus import mtcnn det1.caffemodel det2.caffemodel det3.caffemodel\n"
        "gradus import mtcnn mtcnn.safetensors           all nets in one file\n"
        "\n"
        "Writes one HDF5 file for the key `detector` of an align stage. The\n"
        "pickles in PyTorch's files are read without running what they ask\n"
        "for; a file that asks for anything but tensors is refused.\n",
    .run = run,
};
