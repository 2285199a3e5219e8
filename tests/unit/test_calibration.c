#include "gradus/calibration.h"

#include <math.h>
#include <string.h>

#include "gradus/file.h"
#include "test.h"

static const gd_calibration usual = {.model =
                                         "00112233445566778899aabbccddeeff",
                                     .average = GD_AVERAGE_TRIMMED,
                                     .interval = 0.9,
                                     .half_width = 0.1 + 0.2,
                                     .n_calibration = 50};

static void calibration_reads_back_bit_for_bit(void **state)
{
  (void)state;
  gd_calibration c, endless = usual;
  const char *path = gd_test_path("calibration.yaml");
  assert_ok(gd_calibration_write(path, &usual));
  assert_ok(gd_calibration_read(path, &c));
  assert_string_equal(c.model, usual.model);
  assert_int_equal(c.average, usual.average);
  assert_true(c.interval == usual.interval);
  assert_true(c.half_width == usual.half_width);
  assert_int_equal(c.n_calibration, 50);
  endless.half_width = INFINITY;
  assert_ok(gd_calibration_write(path, &endless));
  assert_ok(gd_calibration_read(path, &c));
  assert_true(isinf(c.half_width));
}

static void refuse(const char *text, const char *reason)
{
  gd_calibration c;
  const char *path = gd_test_path("bad.yaml");
  assert_ok(gd_file_write(path, text, strlen(text)));
  assert_fails(gd_calibration_read(path, &c), GD_ERR_FORMAT, reason);
}

#define MODEL "model: \"00112233445566778899aabbccddeeff\"\n"

static void calibration_that_makes_no_sense_is_refused(void **state)
{
  (void)state;
  gd_calibration c;
  assert_fails(gd_calibration_read(gd_test_path("none.yaml"), &c), GD_ERR_IO,
               "none.yaml");
  refuse("stage: scores\n", "no 'model': this is no calibration.yaml");
  refuse("model: 12\n", "'model' is '12', no digest");
  refuse(MODEL "average: mode\n", "\"mode\"");
  refuse(MODEL "average: mean\ninterval: 1.5\n", "'interval' is '1.5'");
  refuse(MODEL "average: mean\ninterval: 0.9\nhalf_width: nan\n",
         "'half_width' is 'nan'");
  refuse(MODEL "average: mean\ninterval: 0.9\nhalf_width: -1\n",
         "'half_width' is '-1'");
  refuse(MODEL "average: mean\ninterval: 0.9\nhalf_width: 2\n",
         "no 'n_calibration'");
}

static const struct CMUnitTest tests[] = {
    cmocka_unit_test(calibration_reads_back_bit_for_bit),
    cmocka_unit_test(calibration_that_makes_no_sense_is_refused),
};

gd_test_main(tests)
