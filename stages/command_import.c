/* gradus import -- take over weights from the files of other programs. */
#include <string.h>

#include "command.h"
#include "gradus/backbone_import.h"
#include "gradus/detector_import.h"
#include "gradus/file.h"

static const gd_option options[] = {
    {"--profile", "NAME", GD_OPTION_ONCE,
     "resnet needs it: what the weights were trained with: gradus,\n"
     "torchvision, vggface2-bgr, vggface2-rgb or keras-vggface."},
    {"--set", "KEY=VALUE", GD_OPTION_REPEATS,
     "resnet: a setting that differs from the profile:\n"
     "stride=1x1|3x3, epsilon=E, pooling=pad|ceil|valid,\n"
     "conv1=pad|same, channels=RGB|BGR, mean=R,G,B,\n"
     "deviation=R,G,B (of values from 0 to 255)."},
    {"--prefix", "TEXT", GD_OPTION_ONCE,
     "resnet: the network whose tensors' names begin so,\n"
     "where a file has several."},
    {"--ignore", "TEXT", GD_OPTION_REPEATS,
     "resnet: leave out tensors whose names begin so."},
    {"--to", "FILE", GD_OPTION_ONCE,
     "The file to write (default: mtcnn.h5 or resnet.h5)."},
};

static gd_status import_detector(const gd_arguments *a, const char *to,
                                 gd_text *said)
{
  enum { MOST = 3 };
  const char *paths[MOST];
  const int n = gd_arguments_n_operands(a) - 1;
  for (int i = 0; i < 4; i++)
    if (gd_arguments_count(a, options[i].name) > 0)
      return gd_fail(GD_ERR_USAGE, "import mtcnn: takes no %s",
                     options[i].name);
  for (int i = 0; i < n && i < MOST; i++)
    paths[i] = gd_arguments_operand(a, i + 1);
  gd_status st = gd_detector_import(n, paths, to);
  gd_text_printf(said, "%s: P-, R- and O-Net; use it with `detector: %s`\n", to,
                 to);
  return st;
}

static gd_status import_backbone(const gd_arguments *a, const char *to,
                                 gd_text *said)
{
  const gd_backbone_wish wish = {.profile = gd_arguments_value(a, "--profile"),
                                 .settings = gd_arguments_values(a, "--set"),
                                 .n_settings = gd_arguments_count(a, "--set"),
                                 .prefix = gd_arguments_value(a, "--prefix"),
                                 .ignored = gd_arguments_values(a, "--ignore"),
                                 .n_ignored =
                                     gd_arguments_count(a, "--ignore")};
  if (gd_arguments_n_operands(a) != 2)
    return gd_fail(GD_ERR_USAGE, "import resnet: a network is one file");
  if (wish.profile == NULL)
    return gd_fail(GD_ERR_USAGE,
                   "import resnet: no file tells what its weights were trained "
                   "with: say it with --profile gradus, torchvision, "
                   "vggface2-bgr, vggface2-rgb or keras-vggface");
  return gd_backbone_import(gd_arguments_operand(a, 1), &wish, to, said);
}

static gd_status import(const gd_arguments *a, gd_text *said)
{
  const char *kind = gd_arguments_operand(a, 0);
  const char *to = gd_arguments_value(a, "--to");
  const int is_backbone = strcmp(kind, "resnet") == 0;
  if (!is_backbone && strcmp(kind, "mtcnn") != 0)
    return gd_fail(
        GD_ERR_USAGE,
        "import: '%s' is not a kind of weights that can be imported; "
        "mtcnn and resnet are",
        kind);
  if (to == NULL)
    to = is_backbone ? "resnet.h5" : "mtcnn.h5";
  if (gd_path_exists(to))
    return gd_fail(GD_ERR_USAGE,
                   "%s: exists; remove it, or choose another "
                   "name with --to",
                   to);
  return is_backbone ? import_backbone(a, to, said)
                     : import_detector(a, to, said);
}

static int run(const gd_arguments *a)
{
  gd_text said = {0};
  const gd_status st = import(a, &said);
  if (st == GD_OK)
    return gd_command_print(&said);
  gd_text_free(&said);
  return gd_command_failed(st);
}

const gd_command gd_command_import = {
    .name = "import",
    .operands = "KIND FILE...",
    .least = 2,
    .most = 4,
    .options = options,
    .n_options = sizeof options / sizeof options[0],
    .summary = "take over weights of other programs",
    .details =
        "gradus import resnet resnet50.pth --profile torchvision\n"
        "gradus import resnet rcmalli_vggface_tf_notop_resnet50.h5 \\\n"
        "  --profile keras-vggface --to vggface.h5\n"
        "gradus import mtcnn pnet.pt rnet.pt onet.pt     of facenet-pytorch\n"
        "gradus import mtcnn det1.caffemodel det2.caffemodel det3.caffemodel\n"
        "gradus import mtcnn mtcnn.safetensors           all nets in one file\n"
        "\n"
        "KIND resnet reads the backbone of a ResNet-18, 34, 50, 101 or 152\n"
        "from PyTorch (.pth of any version) or safetensors, and of the last\n"
        "three also from Keras (HDF5) or Caffe, for the key `init` of a train\n"
        "stage; its head is left out. The profile is never guessed: the same\n"
        "tensors compute something else with other strides, paddings or\n"
        "colours. docs/weights.md has them.\n"
        "\n"
        "KIND mtcnn writes one HDF5 file for the key `detector` of an align\n"
        "stage; `detector: drawn` needs no file, but it finds drawn faces\n"
        "only.\n"
        "\n"
        "The pickles in PyTorch's files are read without running what they\n"
        "ask for; a file that asks for anything but tensors is refused.\n",
    .run = run,
};
