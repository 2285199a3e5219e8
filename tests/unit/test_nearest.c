#include "gradus/nearest.h"

#include "test.h"

static const char *const words[] = {"epochs", "batch", "every", "to", "tom"};

static const char *nearest(const char *wrong)
{
  return gd_nearest(wrong, words, 5);
}

static void mistyped_word_finds_its_neighbour(void **state)
{
  (void)state;
  assert_string_equal(nearest("epoch"), "epochs"); /* one missing */
  assert_string_equal(nearest("bacth"), "batch");  /* two swapped */
  assert_string_equal(nearest("evvery"), "every"); /* one too many */
  assert_string_equal(nearest("epocs"), "epochs"); /* one missing inside */
  assert_string_equal(nearest("Epoch"), "epochs"); /* two edits of five */
  assert_string_equal(nearest("ot"), "to");
}

static void other_words_find_nothing(void **state)
{
  (void)state;
  assert_null(nearest("optimizer"));
  assert_null(nearest("xyz"));
  assert_null(nearest("abracadabra-abracadabra-abracadabra-abracadabra-abra-"
                      "abracadabra"));
  assert_null(gd_nearest("epoch", words, 0));
}

static void of_equals_the_first_is_taken(void **state)
{
  (void)state;
  assert_string_equal(nearest("tox"), "to");
}

static const struct CMUnitTest tests[] = {
    cmocka_unit_test(mistyped_word_finds_its_neighbour),
    cmocka_unit_test(other_words_find_nothing),
    cmocka_unit_test(of_equals_the_first_is_taken),
};

gd_test_main(tests)
