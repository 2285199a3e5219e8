/**
 * Profiles: what must be known of a ResNet's weights beside their values.
 *
 * The same tensors compute something else when a stride, a padding, an epsilon
 * or the order of the channels differs, and nothing in them tells.  A profile
 * is these members of a gd_resnet_config: stride_on_3x3, bn_epsilon, pooling,
 * conv1_same and input.  The usual ones have names:
 *
 *   name           stride  epsilon  pooling  conv1  channels  mean, deviation
 *   gradus         3x3     1e-5     pad      pad    RGB       127.5, 128
 *   torchvision    3x3     1e-5     pad      pad    RGB       ImageNet's
 *   vggface2-bgr   1x1     1e-5     ceil     pad    BGR       VGGFace2's, 1
 *   vggface2-rgb   1x1     1e-5     ceil     pad    RGB       VGGFace2's, 1
 *   keras-vggface  1x1     1e-3     valid    same   BGR       VGGFace2's, 1
 *
 * Written as text, a profile is its settings in this order:
 *
 *   stride=3x3 epsilon=1e-05 pooling=pad conv1=pad channels=RGB
 *   mean=127.5,127.5,127.5 deviation=128,128,128
 *
 * mean and deviation are of red, green and blue, whatever the channels' order.
 * Source: torchvision 0.14, models/resnet.py and the presets of its weights;
 * ox-vgg/vgg_face2 and rcmalli/keras-vggface (resnet50).
 */
#ifndef GRADUS_PROFILE_H
#define GRADUS_PROFILE_H

#include "gradus/resnet.h"
#include "gradus/status.h"

enum { GD_PROFILE_TEXT = 320 };

/**
 * Set a configuration's profile; its other members stay.
 * @param[in] text  a name, or all settings, each once
 * Errors: GD_ERR_USAGE (no such name; which setting is missing, twice, unknown
 *         or impossible)
 */
GD_NODISCARD gd_status gd_profile_of(const char *text, gd_resnet_config *out);
/** Change one setting, "channels=RGB". Errors: GD_ERR_USAGE */
GD_NODISCARD gd_status gd_profile_set(const char *setting,
                                      gd_resnet_config *config);
/** Write all settings. */
void gd_profile_write(const gd_resnet_config *config,
                      char out[GD_PROFILE_TEXT]);
/** Return the name that a configuration's profile has, NULL if it has none. */
const char *gd_profile_name(const gd_resnet_config *config);
/**
 * Say whether two profiles differ.
 * @param[out] out  if so, how: "stride is 3x3, wanted 1x1"
 */
int gd_profile_differs(const gd_resnet_config *found,
                       const gd_resnet_config *wanted,
                       char out[GD_PROFILE_TEXT]);

#endif
