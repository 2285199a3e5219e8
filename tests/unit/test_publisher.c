#include "gradus/publisher.h"

#include <stdio.h>
#include <stdlib.h>

#include "test.h"

static void write_part(const char *name, const char *content)
{
  char part[GD_PATH_MAX];
  assert_ok(gd_file_part(gd_test_path(name), part));
  FILE *file = fopen(part, "w");
  assert_non_null(file);
  fputs(content, file);
  fclose(file);
}

static void files_appear_whole_when_waited_for(void **state)
{
  (void)state;
  gd_publisher *p;
  assert_ok(gd_publisher_new(&p));
  for (int round = 0; round < 3; round++) {
    char *text, content[2] = {(char)('0' + round), '\0'};
    write_part("a", content);
    write_part("b", content);
    assert_ok(gd_publisher_add(p, gd_test_path("a")));
    assert_ok(gd_publisher_add(p, gd_test_path("b")));
    assert_ok(gd_publisher_start(p));
    assert_ok(gd_publisher_wait(p));
    assert_ok(gd_file_read(gd_test_path("b"), 9, &text, NULL));
    assert_string_equal(text, content);
    free(text);
    assert_false(gd_path_exists(gd_test_path("a.part")));
  }
  assert_ok(gd_publisher_wait(p));
  gd_publisher_free(p);
}

static void dropped_files_go_only_after_the_new_ones_are_there(void **state)
{
  (void)state;
  gd_publisher *p;
  assert_ok(gd_publisher_new(&p));
  assert_ok(gd_file_write(gd_test_path("old"), "x", 1));
  assert_ok(gd_publisher_add(p, gd_test_path("never-written")));
  assert_ok(gd_publisher_drop(p, gd_test_path("old")));
  assert_ok(gd_publisher_start(p));
  assert_fails(gd_publisher_wait(p), GD_ERR_IO, "never-written");
  assert_true(gd_path_exists(gd_test_path("old")));

  write_part("new", "y");
  assert_ok(gd_publisher_add(p, gd_test_path("new")));
  assert_ok(gd_publisher_drop(p, gd_test_path("old")));
  assert_ok(gd_publisher_start(p));
  assert_ok(gd_publisher_wait(p));
  assert_true(gd_path_exists(gd_test_path("new")));
  assert_false(gd_path_exists(gd_test_path("old")));
  gd_publisher_free(p);
}

static void failure_is_told_once_and_stops_later_files(void **state)
{
  (void)state;
  gd_publisher *p;
  assert_ok(gd_publisher_new(&p));
  write_part("later", "x");
  assert_ok(gd_publisher_add(p, gd_test_path("missing")));
  assert_ok(gd_publisher_add(p, gd_test_path("later")));
  assert_ok(gd_publisher_start(p));
  assert_fails(gd_publisher_wait(p), GD_ERR_IO, "missing.part");
  assert_false(gd_path_exists(gd_test_path("later")));
  assert_ok(gd_publisher_wait(p));
  gd_publisher_free(p);
}

static const struct CMUnitTest tests[] = {
    cmocka_unit_test(files_appear_whole_when_waited_for),
    cmocka_unit_test(dropped_files_go_only_after_the_new_ones_are_there),
    cmocka_unit_test(failure_is_told_once_and_stops_later_files),
};

gd_test_main(tests)
