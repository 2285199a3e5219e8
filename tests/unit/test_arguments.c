#include "gradus/arguments.h"

#include "test.h"

static const gd_option options[] = {
    {"--set", "KEY=VALUE", GD_OPTION_REPEATS, "Override."},
    {"--stage", "NAME", GD_OPTION_ONCE, "Only this."},
    {"--dry-run", NULL, GD_OPTION_ONCE, "Do nothing."},
};

static gd_status parse(int n, const char *const *words, gd_arguments **out)
{
  return gd_arguments_parse(options, 3, n, words, out);
}

static void options_and_operands_come_apart(void **state)
{
  (void)state;
  const char *const words[] = {"--set", "a=1",       "job.yaml", "--set=b=2",
                               "-",     "--dry-run", "--",       "--stage"};
  gd_arguments *a;
  assert_ok(parse(8, words, &a));
  assert_int_equal(gd_arguments_n_operands(a), 3);
  assert_string_equal(gd_arguments_operand(a, 0), "job.yaml");
  assert_string_equal(gd_arguments_operand(a, 1), "-");
  assert_string_equal(gd_arguments_operand(a, 2), "--stage");
  assert_int_equal(gd_arguments_count(a, "--set"), 2);
  assert_string_equal(gd_arguments_values(a, "--set")[0], "a=1");
  assert_string_equal(gd_arguments_values(a, "--set")[1], "b=2");
  assert_int_equal(gd_arguments_count(a, "--dry-run"), 1);
  assert_null(gd_arguments_value(a, "--stage"));
  gd_arguments_free(a);
}

static void wrong_options_are_named_with_the_nearest(void **state)
{
  (void)state;
  gd_arguments *a;
  assert_fails(parse(1, (const char *const[]){"--dry-rnu"}, &a), GD_ERR_USAGE,
               "unknown option '--dry-rnu'; did you mean '--dry-run'?");
  assert_null(a);
  assert_fails(parse(1, (const char *const[]){"-x"}, &a), GD_ERR_USAGE,
               "unknown option '-x'");
  assert_fails(parse(1, (const char *const[]){"--stage"}, &a), GD_ERR_USAGE,
               "option '--stage' needs a value: --stage NAME");
  assert_fails(parse(1, (const char *const[]){"--dry-run=1"}, &a), GD_ERR_USAGE,
               "option '--dry-run' takes no value");
  assert_fails(parse(2, (const char *const[]){"--stage=a", "--stage=b"}, &a),
               GD_ERR_USAGE, "option '--stage' twice");
}

static void no_words_are_no_arguments(void **state)
{
  (void)state;
  gd_arguments *a;
  assert_ok(parse(0, NULL, &a));
  assert_int_equal(gd_arguments_n_operands(a), 0);
  assert_int_equal(gd_arguments_count(a, "--set"), 0);
  gd_arguments_free(a);
  gd_arguments_free(NULL);
}

static const struct CMUnitTest tests[] = {
    cmocka_unit_test(options_and_operands_come_apart),
    cmocka_unit_test(wrong_options_are_named_with_the_nearest),
    cmocka_unit_test(no_words_are_no_arguments),
};

gd_test_main(tests)
