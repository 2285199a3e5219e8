/* Which of a network's weights stay as they are in training. */
#include "gradus/resnet.h"

#include <assert.h>
#include <string.h>

static int begins_with(const char *name, const char *word, size_t length)
{
  return strncmp(name, word, length) == 0 &&
         (name[length] == '.' || name[length] == '\0');
}

static int is_meant(const char *name, const char *word, size_t length)
{
  if (length == 4 && strncmp(word, "stem", 4) == 0)
    return begins_with(name, "conv1", 5) || begins_with(name, "bn1", 3);
  return begins_with(name, word, length);
}

static gd_status freeze_word(const gd_tensor_table *table, const char *word,
                             size_t length, unsigned char *frozen)
{
  int n_meant = 0;
  for (int t = 0; t < table->n_entries; t++)
    if (is_meant(table->entries[t].name, word, length)) {
      frozen[t] = 1;
      n_meant++;
    }
  return n_meant > 0 ? GD_OK
                     : gd_fail(GD_ERR_USAGE,
                               "'freeze': no weights are called %.*s: there "
                               "are stem, layer1 to layer4, and fc",
                               (int)length, word);
}

gd_status gd_resnet_freeze(const gd_tensor_table *table, const char *words,
                           unsigned char *frozen)
{
  static const char BETWEEN[] = ", ";
  assert(table != NULL && words != NULL && frozen != NULL);
  const size_t n = (size_t)table->n_entries;
  gd_status st = GD_OK;
  memset(frozen, 0, n);
  for (const char *word = words + strspn(words, BETWEEN);
       st == GD_OK && *word != '\0';) {
    const size_t length = strcspn(word, BETWEEN);
    st = freeze_word(table, word, length, frozen);
    word += length;
    word += strspn(word, BETWEEN);
  }
  if (st == GD_OK && memchr(frozen, 0, n) == NULL)
    st = gd_fail(GD_ERR_USAGE, "'freeze': %s leaves nothing to train", words);
  return st;
}
