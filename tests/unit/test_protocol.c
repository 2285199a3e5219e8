#include "gradus/protocol.h"

#include "test.h"

static void protocol_joins_the_tasks_of_a_session(void **state)
{
  (void)state;
  const gd_video videos[] = {
      {.id = "T/Freeform/203_1_Freeform_video",
       .subject = "203",
       .task = "Freeform",
       .partition = GD_TEST},
      {.id = "T/Freeform/203_2_Freeform_video",
       .subject = "203",
       .task = "Freeform",
       .partition = GD_TEST},
      {.id = "T/Northwind/203_1_Northwind_video",
       .subject = "203",
       .task = "Northwind",
       .partition = GD_TEST},
      {.id = "T/Northwind/204_1_Northwind_video",
       .subject = "204",
       .task = "Northwind",
       .partition = GD_TEST},
  };
  const gd_video *list[] = {&videos[0], &videos[1], &videos[2], &videos[3]};
  int64_t session[4], n = 0;
  assert_ok(gd_protocol_sessions(4, list, session, &n));
  assert_int_equal(n, 3);
  assert_int_equal(session[0], 0);
  assert_int_equal(session[1], 1);
  assert_int_equal(session[2], 0);
  assert_int_equal(session[3], 2);

  const double x[] = {10, 20, 13, 5};
  double mean[3];
  assert_ok(gd_protocol_means(4, x, session, n, mean));
  assert_float_equal(mean[0], 11.5, 0);
  assert_float_equal(mean[1], 20, 0);
  assert_float_equal(mean[2], 5, 0);
}

static void protocol_without_tasks_keeps_every_video_apart(void **state)
{
  (void)state;
  const gd_video videos[] = {
      {.id = "a", .subject = "1", .task = "", .partition = GD_TEST},
      {.id = "b", .subject = "1", .task = "", .partition = GD_TEST},
      {.id = "b_x", .subject = "1", .task = "_x", .partition = GD_TEST},
  };
  const gd_video *list[] = {&videos[0], &videos[1], &videos[2]};
  int64_t session[3], n = 0;
  assert_ok(gd_protocol_sessions(3, list, session, &n));
  assert_int_equal(n, 3);
  for (int v = 0; v < 3; v++)
    assert_int_equal(session[v], v);
  assert_ok(gd_protocol_sessions(0, NULL, NULL, &n));
  assert_int_equal(n, 0);
}

static void protocol_keeps_persons_and_partitions_apart(void **state)
{
  (void)state;
  const gd_video videos[] = {
      {.id = "x_A", .subject = "1", .task = "A", .partition = GD_TEST},
      {.id = "x_B", .subject = "2", .task = "B", .partition = GD_TEST},
      {.id = "x_C", .subject = "1", .task = "C", .partition = GD_DEV},
  };
  const gd_video *list[] = {&videos[0], &videos[1], &videos[2]};
  int64_t session[3], n = 0;
  assert_ok(gd_protocol_sessions(3, list, session, &n));
  assert_int_equal(n, 3);
}

static const struct CMUnitTest tests[] = {
    cmocka_unit_test(protocol_joins_the_tasks_of_a_session),
    cmocka_unit_test(protocol_without_tasks_keeps_every_video_apart),
    cmocka_unit_test(protocol_keeps_persons_and_partitions_apart),
};

gd_test_main(tests)
