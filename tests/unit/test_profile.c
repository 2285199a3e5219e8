#include "gradus/profile.h"

#include "test.h"

static gd_resnet_config named(const char *name)
{
  gd_resnet_config c = gd_resnet_config_default();
  assert_ok(gd_profile_of(name, &c));
  return c;
}

static void every_name_is_found_again_from_its_settings(void **state)
{
  (void)state;
  static const char *const names[] = {"gradus", "torchvision", "vggface2-bgr",
                                      "vggface2-rgb", "keras-vggface"};
  for (size_t i = 0; i < sizeof names / sizeof names[0]; i++) {
    char text[GD_PROFILE_TEXT];
    const gd_resnet_config c = named(names[i]);
    assert_ok(gd_resnet_config_check(&c));
    assert_string_equal(gd_profile_name(&c), names[i]);
    gd_profile_write(&c, text);
    const gd_resnet_config back = named(text);
    assert_false(gd_profile_differs(&back, &c, text));
  }
}

static void settings_are_written_in_full(void **state)
{
  (void)state;
  char text[GD_PROFILE_TEXT];
  gd_resnet_config c = named("keras-vggface");
  gd_profile_write(&c, text);
  assert_string_equal(text, "stride=1x1 epsilon=0.001 pooling=valid conv1=same "
                            "channels=BGR mean=131.0912,103.8827,91.4953 "
                            "deviation=1,1,1");
  assert_ok(gd_profile_set("mean=0.1,0,-0.3333333333333333", &c));
  gd_profile_write(&c, text);
  const gd_resnet_config back = named(text);
  assert_true(back.input.mean[2] == -0.3333333333333333);
}

/* Only the profile changes: a depth or size is not its business. */
static void other_members_stay(void **state)
{
  (void)state;
  gd_resnet_config c = gd_resnet_config_default();
  c.depth = 101, c.height = 64, c.outputs = 7;
  assert_ok(gd_profile_of("torchvision", &c));
  assert_int_equal(c.depth, 101);
  assert_int_equal(c.height, 64);
  assert_int_equal(c.outputs, 7);
  assert_int_equal(c.stride_on_3x3, 1);
}

static void changed_setting_makes_a_profile_without_a_name(void **state)
{
  (void)state;
  char how[GD_PROFILE_TEXT];
  gd_resnet_config c = named("torchvision");
  assert_false(gd_profile_differs(&c, &c, how));
  assert_ok(gd_profile_set("channels=BGR", &c));
  assert_null(gd_profile_name(&c));
  const gd_resnet_config wanted = named("torchvision");
  assert_true(gd_profile_differs(&c, &wanted, how));
  assert_string_equal(how, "channels is BGR, wanted RGB");
  c = named("vggface2-bgr");
  assert_ok(gd_profile_set("channels=RGB", &c));
  assert_string_equal(gd_profile_name(&c), "vggface2-rgb");
}

static void what_cannot_be_meant_is_refused(void **state)
{
  (void)state;
  static const struct {
    const char *text, *reason;
  } wrong[] = {
      {"resnet", "'resnet' is no profile; there are gradus, torchvision"},
      {"stride=3x3", "does not say epsilon="},
      {"stride=3x3 stride=1x1", "stride= twice"},
      {"stride=2x2", "stride=2x2: takes 1x1 or 3x3"},
      {"pooling=max", "takes pad, ceil or valid"},
      {"epsilon=1", "a number between 0 and 1"},
      {"epsilon=nan", "a number between 0 and 1"},
      {"mean=1,2", "three numbers"},
      {"mean=1,2,inf", "three numbers"},
      {"mean=1,2,3,4", "three numbers"},
      {"deviation=1,0,1", "three numbers above 0"},
      {"colour=RGB", "'colour' is no setting"},
      {"=", "'' is no setting"},
  };
  for (size_t i = 0; i < sizeof wrong / sizeof wrong[0]; i++) {
    gd_resnet_config c = gd_resnet_config_default();
    assert_fails(gd_profile_of(wrong[i].text, &c), GD_ERR_USAGE,
                 wrong[i].reason);
  }
}

static const struct CMUnitTest tests[] = {
    cmocka_unit_test(every_name_is_found_again_from_its_settings),
    cmocka_unit_test(settings_are_written_in_full),
    cmocka_unit_test(other_members_stay),
    cmocka_unit_test(changed_setting_makes_a_profile_without_a_name),
    cmocka_unit_test(what_cannot_be_meant_is_refused),
};

gd_test_main(tests)
