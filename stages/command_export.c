/* gradus export -- write a model in a format of other programs. */
#include "command.h"
#include "gradus/file.h"
#include "gradus/model_export.h"

static const gd_option options[] = {
    {"--format", "FORMAT", GD_OPTION_ONCE,
     "safetensors (the default), pytorch-keys or keras."},
};

static int run(const gd_arguments *a)
{
  const char *format = gd_arguments_value(a, "--format");
  const char *to = gd_arguments_operand(a, 1);
  gd_text said = {0};
  gd_status st = GD_OK;
  if (gd_path_exists(to))
    st = gd_fail(GD_ERR_USAGE, "%s: exists; remove it, or choose another name",
                 to);
  if (st == GD_OK)
    st = gd_model_export(gd_arguments_operand(a, 0),
                         format == NULL ? "safetensors" : format, to, &said);
  if (st == GD_OK)
    return gd_command_print(&said);
  gd_text_free(&said);
  return gd_command_failed(st);
}

const gd_command gd_command_export = {
    .name = "export",
    .operands = "MODEL FILE",
    .least = 2,
    .most = 2,
    .options = options,
    .n_options = sizeof options / sizeof options[0],
    .summary = "write a model for other programs",
    .details =
        "gradus export runs/demo/model-1234abcd/model.h5 model.safetensors\n"
        "gradus export --format keras model.h5 for_keras.h5\n"
        "\n"
        "MODEL is a model.h5, or what gradus import resnet made.\n"
        "  safetensors   torchvision's names, for load_state_dict()\n"
        "  pytorch-keys  the same tensors as datasets of one HDF5 file\n"
        "  keras         HDF5 as Keras-VGGFace has it\n"
        "The head is fc.0, ReLU, fc.2. The network that takes the tensors\n"
        "needs the strides, paddings and colours of the profile, which is\n"
        "printed and stored: see docs/weights.md.\n",
    .run = run,
};
