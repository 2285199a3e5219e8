#include "gradus/curves.h"

#include <math.h>
#include <string.h>

#include "test.h"

static gd_status read_text(const char *text, gd_curves *out)
{
  const char *path = gd_test_path("metrics.csv");
  assert_ok(gd_file_write(path, text, strlen(text)));
  return gd_curves_read(path, out);
}

static void curves_are_split_into_training_and_development(void **state)
{
  (void)state;
  gd_curves c;
  assert_ok(read_text("epoch,step,split,loss,mae,rmse,rate\n"
                      "1,1,train,3.5,,,0.1\n1,2,train,2.5,,,0.1\r\n"
                      "1,2,dev,2.25,8,9.5,\n",
                      &c));
  assert_int_equal(c.train.n, 2);
  assert_int_equal(c.dev.n, 1);
  assert_float_equal(c.train.loss[1], 2.5, 0);
  assert_true(isnan(c.train.mae[0]));
  assert_float_equal(c.dev.step[0], 2, 0);
  assert_float_equal(c.dev.mae[0], 8, 0);
  assert_float_equal(c.dev.rmse[0], 9.5, 0);
  gd_curves_free(&c);
}

static void curves_of_a_header_alone_are_empty(void **state)
{
  (void)state;
  gd_curves c;
  assert_ok(read_text("rmse,mae,loss,split,step,epoch", &c));
  assert_int_equal(c.train.n + c.dev.n, 0);
  gd_curves_free(&c);
}

static void curves_that_make_no_sense_are_refused_with_their_line(void **state)
{
  (void)state;
  gd_curves c;
  assert_fails(read_text("", &c), GD_ERR_FORMAT, ":1: column epoch");
  assert_fails(read_text("epoch,step,loss,mae,rmse\n", &c), GD_ERR_FORMAT,
               "column split");
  assert_fails(read_text("epoch,step,split,loss,mae,rmse\n1,1,train,x,,\n", &c),
               GD_ERR_FORMAT, ":2: loss is \"x\"");
  assert_fails(
      read_text("epoch,step,split,loss,mae,rmse\n1,1,test,1,1,1\n", &c),
      GD_ERR_FORMAT, "split is \"test\"");
  assert_fails(read_text("epoch,step,split,loss,mae,rmse\n1,1,dev\n", &c),
               GD_ERR_FORMAT, ":2: the row has 3 fields");
  assert_int_equal(c.train.n, 0);
  assert_fails(gd_curves_read(gd_test_path("none.csv"), &c), GD_ERR_IO,
               "none.csv");
}

static const struct CMUnitTest tests[] = {
    cmocka_unit_test(curves_are_split_into_training_and_development),
    cmocka_unit_test(curves_of_a_header_alone_are_empty),
    cmocka_unit_test(curves_that_make_no_sense_are_refused_with_their_line),
};

gd_test_main(tests)
