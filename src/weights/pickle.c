#include "weights/pickle.h"

#include <assert.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "gradus/memory.h"

/* Far above what a network needs, far below what hurts. */
enum { MOST_VALUES = 1 << 22, DEEPEST = 8 };
static const int64_t MOST_ITEMS = (int64_t)1 << 31; /* of a tensor */

typedef enum {
  NOTHING, /* None, or what nobody asks for: reals, states */
  NUMBER,
  TEXT,
  NAME, /* "module name", of something to import */
  TUPLE,
  LIST,
  DICT, /* items: key, value, key, value ... */
  STORAGE,
  TENSOR,
  MARK
} kind;

typedef struct {
  kind kind;
  int64_t number; /* STORAGE: items; TENSOR: first item */
  char *text;     /* TEXT, NAME; STORAGE: its key, borrowed from a TEXT */
  char type[8];   /* STORAGE */
  int *items;     /* TUPLE, LIST, DICT; TENSOR: storage, sizes, strides */
  int n_items, items_room;
} value;

typedef struct {
  const char *path;
  const uint8_t *data;
  size_t at, n_bytes;
  size_t opcode_at;
  value *values;
  int n_values, values_room;
  int *stack, *memo;
  int n_stack, stack_room, n_memo, memo_room;
} machine;

static gd_status refuse(const machine *m, const char *what)
{
  return gd_fail(GD_ERR_FORMAT, "%s: pickle, byte %zu: %s", m->path,
                 m->opcode_at, what);
}

/* Make room for one more of n items. */
static gd_status grow(void *items, int n, int *room, size_t item_bytes)
{
  void **at = items;
  if (n < *room)
    return GD_OK;
  if (n >= MOST_VALUES)
    return gd_fail(GD_ERR_FORMAT, "a pickle of more than %d values",
                   MOST_VALUES);
  const int more = *room == 0 ? 16 : 2 * *room;
  void *bigger = realloc(*at, (size_t)more * item_bytes);
  if (bigger == NULL)
    return gd_fail(GD_ERR_NOMEM, "no memory for a pickle of %d values", more);
  *at = bigger;
  *room = more;
  return GD_OK;
}

/* ------------------------------------------------------------------ the stack
 */

static gd_status push_index(machine *m, int index)
{
  gd_status st = grow(&m->stack, m->n_stack, &m->stack_room, sizeof *m->stack);
  if (st == GD_OK)
    m->stack[m->n_stack++] = index;
  return st;
}

static gd_status push(machine *m, value v)
{
  gd_status st =
      grow(&m->values, m->n_values, &m->values_room, sizeof *m->values);
  if (st != GD_OK) {
    free(v.text);
    return st;
  }
  m->values[m->n_values] = v;
  return push_index(m, m->n_values++);
}

static gd_status push_kind(machine *m, kind k)
{
  return push(m, (value){.kind = k});
}

static gd_status push_number(machine *m, int64_t number)
{
  return push(m, (value){.kind = NUMBER, .number = number});
}

/* Return the value `depth` below the top, or NULL. */
static value *peek(const machine *m, int depth)
{
  return depth < m->n_stack ? &m->values[m->stack[m->n_stack - 1 - depth]]
                            : NULL;
}

static gd_status add_item(value *to, int index)
{
  gd_status st =
      grow(&to->items, to->n_items, &to->items_room, sizeof *to->items);
  if (st == GD_OK)
    to->items[to->n_items++] = index;
  return st;
}

/* Return the stack's height at its topmost mark, or -1. */
static int find_mark(const machine *m)
{
  int i = m->n_stack - 1;
  while (i >= 0 && m->values[m->stack[i]].kind != MARK)
    i--;
  return i;
}

/* Take the top n values off the stack and add them to value `to`. */
static gd_status move_items(machine *m, int to, int n)
{
  gd_status st = GD_OK;
  const int first = m->n_stack - n;
  for (int i = 0; st == GD_OK && i < n; i++)
    st = add_item(&m->values[to], m->stack[first + i]);
  m->n_stack = first;
  return st;
}

static gd_status make_tuple(machine *m, int n)
{
  if (n > m->n_stack)
    return refuse(m, "a tuple of more values than there are");
  gd_status st =
      grow(&m->values, m->n_values, &m->values_room, sizeof *m->values);
  if (st != GD_OK)
    return st;
  const int tuple = m->n_values++;
  m->values[tuple] = (value){.kind = TUPLE};
  st = move_items(m, tuple, n);
  return st == GD_OK ? push_index(m, tuple) : st;
}

/* Put what lies above the mark into the list or dictionary below it. */
static gd_status extend(machine *m, kind wanted)
{
  const int mark = find_mark(m);
  const int n = m->n_stack - mark - 1;
  if (mark < 1 || m->values[m->stack[mark - 1]].kind != wanted ||
      (wanted == DICT && n % 2 != 0))
    return refuse(m, "items for something that cannot hold them");
  gd_status st = move_items(m, m->stack[mark - 1], n);
  m->n_stack = mark;
  return st;
}

static gd_status extend_by(machine *m, kind wanted, int n)
{
  const value *to = peek(m, n);
  if (to == NULL || to->kind != wanted)
    return refuse(m, "items for something that cannot hold them");
  return move_items(m, m->stack[m->n_stack - 1 - n], n);
}

/* ------------------------------------------------------------------- operands
 */

/* Return n bytes and go behind them, or NULL. */
static const uint8_t *take(machine *m, size_t n)
{
  if (n > m->n_bytes - m->at)
    return NULL;
  m->at += n;
  return m->data + m->at - n;
}

/* Take a little-endian number of n <= 8 bytes. */
static gd_status take_number(machine *m, int n, uint64_t *out)
{
  const uint8_t *bytes = take(m, (size_t)n);
  *out = 0;
  for (int i = n - 1; bytes != NULL && i >= 0; i--)
    *out = *out << 8 | bytes[i];
  return bytes != NULL ? GD_OK : refuse(m, "ends in the middle of an opcode");
}

static gd_status push_text(machine *m, kind k, size_t n)
{
  const uint8_t *bytes = take(m, n);
  if (bytes == NULL)
    return refuse(m, "ends in the middle of a text");
  char *text = gd_alloc((int64_t)n + 1, 1);
  if (text == NULL)
    return GD_ERR_NOMEM;
  memcpy(text, bytes, n);
  return push(m, (value){.kind = k, .text = text});
}

static gd_status take_text(machine *m, int length_bytes)
{
  uint64_t n;
  gd_status st = take_number(m, length_bytes, &n);
  return st == GD_OK ? push_text(m, TEXT, (size_t)n) : st;
}

/* A whole number of n bytes, two's complement; PyTorch's magic number is the
 * only one that is longer than 8, and its value is not asked for. */
static gd_status take_long(machine *m, int length_bytes)
{
  uint64_t n;
  gd_status st = take_number(m, length_bytes, &n);
  if (st != GD_OK)
    return st;
  const uint8_t *bytes = take(m, (size_t)n);
  if (bytes == NULL)
    return refuse(m, "ends in the middle of a number");
  if (n > 8)
    return push_kind(m, NOTHING);
  uint64_t bits = n > 0 && (bytes[n - 1] & 0x80) != 0 ? UINT64_MAX : 0;
  for (size_t i = (size_t)n; i > 0; i--)
    bits = bits << 8 | bytes[i - 1];
  return push_number(m, (int64_t)bits);
}

/* "module\nname\n" becomes "module name". */
static gd_status take_name(machine *m)
{
  char name[128];
  size_t n = 0;
  for (int lines = 0; lines < 2;) {
    const uint8_t *byte = take(m, 1);
    if (byte == NULL || n + 1 >= sizeof name)
      return refuse(m, "a name has no end");
    const int is_end = *byte == '\n';
    lines += is_end;
    if (!is_end || lines < 2)
      name[n++] = is_end ? ' ' : (char)*byte;
  }
  name[n] = '\0';
  char *text = gd_strdup(name);
  return text == NULL ? GD_ERR_NOMEM
                      : push(m, (value){.kind = NAME, .text = text});
}

static gd_status join_name(machine *m)
{
  const value *module = peek(m, 1), *name = peek(m, 0);
  if (module == NULL || module->kind != TEXT || name->kind != TEXT)
    return refuse(m, "a name that is no text");
  const size_t room = strlen(module->text) + strlen(name->text) + 2;
  char *text = gd_alloc((int64_t)room, 1);
  if (text == NULL)
    return GD_ERR_NOMEM;
  snprintf(text, room, "%s %s", module->text, name->text);
  m->n_stack -= 2;
  return push(m, (value){.kind = NAME, .text = text});
}

static gd_status remember(machine *m, uint64_t slot)
{
  if (m->n_stack == 0 || slot >= MOST_VALUES)
    return refuse(m, "remembers what is not there");
  gd_status st = GD_OK;
  while (st == GD_OK && (uint64_t)m->n_memo <= slot) {
    st = grow(&m->memo, m->n_memo, &m->memo_room, sizeof *m->memo);
    if (st == GD_OK)
      m->memo[m->n_memo++] = -1;
  }
  if (st == GD_OK)
    m->memo[slot] = m->stack[m->n_stack - 1];
  return st;
}

static gd_status recall(machine *m, uint64_t slot)
{
  if (slot >= (uint64_t)m->n_memo || m->memo[slot] < 0)
    return refuse(m, "recalls what was never remembered");
  return push_index(m, m->memo[slot]);
}

/* -------------------------------------------------------------------- tensors
 */

static value *item(const machine *m, const value *v, int i)
{
  return i < v->n_items ? &m->values[v->items[i]] : NULL;
}

static int is_kind(const value *v, kind k)
{
  return v != NULL && v->kind == k;
}

/* ("storage", type, key, device, items): what PyTorch keeps outside. */
static gd_status make_storage(machine *m)
{
  static const char *const types[][2] = {
      {"FloatStorage", "F32"}, {"DoubleStorage", "F64"},
      {"HalfStorage", "F16"},  {"BFloat16Storage", "BF16"},
      {"LongStorage", "I64"},  {"IntStorage", "I32"},
      {"ShortStorage", "I16"}, {"CharStorage", "I8"},
      {"ByteStorage", "U8"},   {"BoolStorage", "BOOL"},
  };
  const value *id = peek(m, 0);
  if (!is_kind(id, TUPLE) || !is_kind(item(m, id, 0), TEXT) ||
      strcmp(item(m, id, 0)->text, "storage") != 0 ||
      !is_kind(item(m, id, 1), NAME) || !is_kind(item(m, id, 2), TEXT) ||
      !is_kind(item(m, id, 4), NUMBER) || item(m, id, 4)->number < 0 ||
      item(m, id, 4)->number > INT64_MAX / 16)
    return refuse(m, "a reference to something other than a storage");
  value storage = {.kind = STORAGE,
                   .number = item(m, id, 4)->number,
                   .text = item(m, id, 2)->text};
  const char *name = item(m, id, 1)->text;
  for (size_t i = 0; i < sizeof types / sizeof *types; i++)
    if (strncmp(name, "torch ", 6) == 0 && strcmp(name + 6, types[i][0]) == 0)
      snprintf(storage.type, sizeof storage.type, "%s", types[i][1]);
  if (storage.type[0] == '\0')
    return gd_fail(GD_ERR_FORMAT, "%s: pickle: a storage of kind `%s`", m->path,
                   name);
  m->n_stack--;
  gd_status st =
      grow(&m->values, m->n_values, &m->values_room, sizeof *m->values);
  if (st != GD_OK)
    return st;
  m->values[m->n_values] = storage;
  return push_index(m, m->n_values++);
}

/* (storage, first item, sizes, strides, ...) */
static gd_status make_tensor(machine *m, const value *arguments)
{
  const value *storage = item(m, arguments, 0), *first = item(m, arguments, 1);
  if (!is_kind(storage, STORAGE) || !is_kind(first, NUMBER) ||
      !is_kind(item(m, arguments, 2), TUPLE) ||
      !is_kind(item(m, arguments, 3), TUPLE))
    return refuse(m, "a tensor without storage, sizes or strides");
  value tensor = {.kind = TENSOR, .number = first->number};
  for (int i = 0; i < 4; i++) {
    const int from = arguments->items[i];
    gd_status st = i == 1 ? GD_OK : add_item(&tensor, from);
    if (st != GD_OK) {
      free(tensor.items);
      return st;
    }
  }
  m->n_stack -= 2;
  gd_status st = push(m, tensor);
  if (st != GD_OK)
    free(tensor.items);
  return st;
}

/* OrderedDict() or OrderedDict([[key, value], ...]) */
static gd_status make_dict(machine *m, const value *arguments)
{
  gd_status st =
      grow(&m->values, m->n_values, &m->values_room, sizeof *m->values);
  if (st != GD_OK)
    return st;
  arguments = peek(m, 0); /* growing may have moved it */
  const int dict = m->n_values++;
  m->values[dict] = (value){.kind = DICT};
  const value *pairs = item(m, arguments, 0);
  for (int i = 0; st == GD_OK && pairs != NULL && i < pairs->n_items; i++) {
    const value *pair = item(m, pairs, i);
    if (pairs->kind != LIST || pair->n_items != 2)
      return refuse(m, "an ordered dictionary of something other than pairs");
    st = add_item(&m->values[dict], pair->items[0]);
    if (st == GD_OK)
      st = add_item(&m->values[dict], pair->items[1]);
  }
  m->n_stack -= 2;
  return st == GD_OK ? push_index(m, dict) : st;
}

static gd_status refuse_call(const machine *m)
{
  const value *name = peek(m, 1);
  return gd_fail(
      GD_ERR_FORMAT,
      "%s: pickle, byte %zu: asks to call `%s`, which is never done; "
      "save a state_dict, which needs tensors only",
      m->path, m->opcode_at, is_kind(name, NAME) ? name->text : "?");
}

/* Do what calling a name with arguments would do, for the names that are known.
 */
static gd_status reduce(machine *m)
{
  const value *name = peek(m, 1), *arguments = peek(m, 0);
  if (!is_kind(name, NAME) || !is_kind(arguments, TUPLE))
    return refuse(m, "a call of something that is no name");
  if (strcmp(name->text, "torch._utils _rebuild_tensor_v2") == 0 ||
      strcmp(name->text, "torch._utils _rebuild_tensor") == 0)
    return make_tensor(m, arguments);
  if (strcmp(name->text, "collections OrderedDict") == 0)
    return make_dict(m, arguments);
  if (strcmp(name->text, "torch._utils _rebuild_parameter") == 0 &&
      is_kind(item(m, arguments, 0), TENSOR)) {
    const int tensor = arguments->items[0];
    m->n_stack -= 2;
    return push_index(m, tensor);
  }
  return refuse_call(m);
}

/* State that is set on an object: of a dictionary, notes that nobody needs. */
static gd_status build(machine *m)
{
  const value *object = peek(m, 1);
  if (!is_kind(object, DICT))
    return refuse(m, "sets the state of something other than a dictionary");
  m->n_stack--;
  return GD_OK;
}

/* -------------------------------------------------------------------- opcodes
 */

/* Opcodes with an operand. */
static gd_status step_operand(machine *m, uint8_t opcode, int *known)
{
  uint64_t n = 0;
  gd_status st = GD_OK;
  *known = 1;
  switch (opcode) {
  case 0x80: /* PROTO */
    st = take_number(m, 1, &n);
    return st == GD_OK && (n < 2 || n > 5) ? refuse(m, "of another protocol")
                                           : st;
  case 0x95: /* FRAME */
    return take_number(m, 8, &n);
  case 'J': /* BININT */
    st = take_number(m, 4, &n);
    return st == GD_OK ? push_number(m, (int32_t)(uint32_t)n) : st;
  case 'K': /* BININT1 */
  case 'M': /* BININT2 */
    st = take_number(m, opcode == 'K' ? 1 : 2, &n);
    return st == GD_OK ? push_number(m, (int64_t)n) : st;
  case 'G': /* BINFLOAT */
    return take(m, 8) == NULL ? refuse(m, "ends in the middle of a number")
                              : push_kind(m, NOTHING);
  case 0x8a: /* LONG1 */
    return take_long(m, 1);
  case 0x8b: /* LONG4 */
    return take_long(m, 4);
  case 0x8c: /* SHORT_BINUNICODE */
  case 'U':  /* SHORT_BINSTRING */
  case 'C':  /* SHORT_BINBYTES */
    return take_text(m, 1);
  case 'X': /* BINUNICODE */
  case 'T': /* BINSTRING */
  case 'B': /* BINBYTES */
    return take_text(m, 4);
  case 0x8d: /* BINUNICODE8 */
    return take_text(m, 8);
  case 'c': /* GLOBAL */
    return take_name(m);
  case 'q': /* BINPUT */
  case 'r': /* LONG_BINPUT */
    st = take_number(m, opcode == 'q' ? 1 : 4, &n);
    return st == GD_OK ? remember(m, n) : st;
  case 'h': /* BINGET */
  case 'j': /* LONG_BINGET */
    st = take_number(m, opcode == 'h' ? 1 : 4, &n);
    return st == GD_OK ? recall(m, n) : st;
  default:
    *known = 0;
    return GD_OK;
  }
}

static gd_status step_plain(machine *m, uint8_t opcode)
{
  char text[64];
  switch (opcode) {
  case '(': /* MARK */
    return push_kind(m, MARK);
  case 'N': /* NONE */
    return push_kind(m, NOTHING);
  case 0x88: /* NEWTRUE */
  case 0x89: /* NEWFALSE */
    return push_number(m, opcode == 0x88);
  case '}': /* EMPTY_DICT */
    return push_kind(m, DICT);
  case ']': /* EMPTY_LIST */
    return push_kind(m, LIST);
  case ')': /* EMPTY_TUPLE */
    return push_kind(m, TUPLE);
  case 0x85: /* TUPLE1 */
  case 0x86: /* TUPLE2 */
  case 0x87: /* TUPLE3 */
    return make_tuple(m, opcode - 0x84);
  case 't': { /* TUPLE */
    const int mark = find_mark(m);
    if (mark < 0)
      return refuse(m, "a tuple without its beginning");
    gd_status st = make_tuple(m, m->n_stack - mark - 1);
    if (st == GD_OK) {
      m->stack[mark] = m->stack[m->n_stack - 1];
      m->n_stack--;
    }
    return st;
  }
  case 'a': /* APPEND */
    return extend_by(m, LIST, 1);
  case 'e': /* APPENDS */
    return extend(m, LIST);
  case 's': /* SETITEM */
    return extend_by(m, DICT, 2);
  case 'u': /* SETITEMS */
    return extend(m, DICT);
  case '0': /* POP */
    if (m->n_stack == 0)
      return refuse(m, "takes away what is not there");
    m->n_stack--;
    return GD_OK;
  case 0x93: /* STACK_GLOBAL */
    return join_name(m);
  case 0x94: /* MEMOIZE */
    return remember(m, (uint64_t)m->n_memo);
  case 'Q': /* BINPERSID */
    return make_storage(m);
  case 'R': /* REDUCE */
    return reduce(m);
  case 0x81: /* NEWOBJ */
    return refuse_call(m);
  case 'b': /* BUILD */
    return build(m);
  default:
    snprintf(text, sizeof text, "opcode 0x%02x is not one that tensors need",
             opcode);
    return refuse(m, text);
  }
}

static gd_status run(machine *m)
{
  for (;;) {
    m->opcode_at = m->at;
    const uint8_t *opcode = take(m, 1);
    if (opcode == NULL)
      return refuse(m, "has no end");
    if (*opcode == '.') /* STOP */
      return m->n_stack == 1 ? GD_OK : refuse(m, "does not end with one value");
    int known;
    gd_status st = step_operand(m, *opcode, &known);
    if (st == GD_OK && !known)
      st = step_plain(m, *opcode);
    if (st != GD_OK)
      return st;
  }
}

/* -------------------------------------------------------------------- results
 */

static int64_t bytes_of(const char *type)
{
  if (strcmp(type, "F64") == 0 || strcmp(type, "I64") == 0)
    return 8;
  if (strcmp(type, "F32") == 0 || strcmp(type, "I32") == 0)
    return 4;
  return strcmp(type, "F16") == 0 || strcmp(type, "BF16") == 0 ||
                 strcmp(type, "I16") == 0
             ? 2
             : 1;
}

/* Read sizes and strides.  Axes may lie in any order, as .permute() and
 * .t() leave them; values that are shared or skipped are refused. */
static gd_status read_shape(const machine *m, const value *t,
                            gd_tensor_place *place, int64_t *count)
{
  const value *sizes = item(m, t, 1), *strides = item(m, t, 2);
  if (sizes->n_items > GD_WEIGHTS_MAX_RANK ||
      sizes->n_items != strides->n_items)
    return gd_fail(GD_ERR_FORMAT,
                   "%s: tensor %s has %d dimensions; at most %d are read",
                   m->path, place->name, sizes->n_items, GD_WEIGHTS_MAX_RANK);
  int64_t span = 1;
  *count = 1;
  place->rank = sizes->n_items;
  for (int i = place->rank - 1; i >= 0; i--) {
    const value *size = item(m, sizes, i), *stride = item(m, strides, i);
    if (!is_kind(size, NUMBER) || !is_kind(stride, NUMBER) ||
        size->number < 0 || stride->number < 0 || size->number > MOST_ITEMS ||
        stride->number > MOST_ITEMS)
      return gd_fail(GD_ERR_FORMAT,
                     "%s: tensor %s has a size or stride that cannot be",
                     m->path, place->name);
    place->shape[i] = size->number;
    place->stride[i] = stride->number;
    place->is_permuted |= size->number > 1 && stride->number != *count;
    if (__builtin_mul_overflow(*count, size->number, count) ||
        *count > MOST_ITEMS)
      return gd_fail(GD_ERR_FORMAT, "%s: tensor %s is too large", m->path,
                     place->name);
    span += (size->number - 1) * stride->number;
    if (span > MOST_ITEMS)
      return gd_fail(GD_ERR_FORMAT, "%s: tensor %s is too large", m->path,
                     place->name);
  }
  if (*count > 0 && span != *count)
    return gd_fail(GD_ERR_FORMAT,
                   "%s: the values of tensor %s do not lie side by side; save "
                   "it after .contiguous()",
                   m->path, place->name);
  return GD_OK;
}

/* Walks from the top dictionary to its tensors. */
typedef struct {
  const machine *machine;
  gd_pickle *out;
  int room;
  int n_visited; /* a dictionary may be in itself, or in many others */
} collector;

static gd_status add_tensor(collector *c, const char *name, const value *t)
{
  const machine *m = c->machine;
  const value *storage = item(m, t, 0);
  gd_pickled_tensor p = {.storage = storage->text,
                         .storage_items = storage->number};
  int64_t count;
  snprintf(p.place.name, sizeof p.place.name, "%s", name);
  memcpy(p.place.type, storage->type, sizeof p.place.type);
  gd_status st = read_shape(m, t, &p.place, &count);
  if (st != GD_OK)
    return st;
  if (t->number < 0 || t->number > storage->number ||
      count > storage->number - t->number)
    return gd_fail(GD_ERR_FORMAT, "%s: tensor %s reaches beyond its storage",
                   m->path, name);
  const int64_t item_bytes = bytes_of(storage->type);
  p.place.first_byte = t->number * item_bytes;
  p.place.end_byte = p.place.first_byte + count * item_bytes;
  st = grow(&c->out->tensors, c->out->n_tensors, &c->room, sizeof p);
  if (st == GD_OK)
    c->out->tensors[c->out->n_tensors++] = p;
  return st;
}

static gd_status collect(collector *c, const value *dict, const char *prefix,
                         int depth)
{
  const machine *m = c->machine;
  gd_status st = GD_OK;
  for (int i = 0; st == GD_OK && i + 1 < dict->n_items; i += 2) {
    const value *key = item(m, dict, i), *v = item(m, dict, i + 1);
    char name[GD_WEIGHTS_NAME_MAX];
    if (++c->n_visited > MOST_VALUES || depth > DEEPEST)
      return gd_fail(GD_ERR_FORMAT, "%s: pickle: too deeply nested", m->path);
    if (!is_kind(key, TEXT) || (v->kind != TENSOR && v->kind != DICT))
      continue;
    if (snprintf(name, sizeof name, "%s%s%s", prefix,
                 prefix[0] != '\0' ? "." : "", key->text) >= (int)sizeof name)
      return gd_fail(GD_ERR_FORMAT, "%s: pickle: name %.60s... is too long",
                     m->path, key->text);
    st = v->kind == TENSOR ? add_tensor(c, name, v)
                           : collect(c, v, name, depth + 1);
  }
  return st;
}

static gd_status collect_texts(machine *m, const value *list, gd_pickle *out)
{
  out->texts = gd_alloc(list->n_items, sizeof *out->texts);
  if (out->texts == NULL)
    return GD_ERR_NOMEM;
  for (int i = 0; i < list->n_items; i++) {
    value *text = item(m, list, i);
    if (!is_kind(text, TEXT))
      return gd_fail(GD_ERR_FORMAT, "%s: pickle: a key that is no text",
                     m->path);
    out->texts[out->n_texts++] = text->text;
  }
  return GD_OK;
}

/* The pickle that callers see, and the machine whose texts it borrows. */
typedef struct {
  gd_pickle pickle;
  machine machine;
} owned;

void gd_pickle_free(gd_pickle *p)
{
  if (p == NULL)
    return;
  owned *o = (owned *)p;
  for (int i = 0; i < o->machine.n_values; i++) {
    value *v = &o->machine.values[i];
    if (v->kind == TEXT || v->kind == NAME)
      free(v->text);
    free(v->items);
  }
  free(o->machine.values);
  free(o->machine.stack);
  free(o->machine.memo);
  free(p->tensors);
  free(p->texts);
  free(o);
}

gd_status gd_pickle_read(const char *path, const uint8_t *data, size_t n_bytes,
                         gd_pickle **out)
{
  assert(path != NULL && data != NULL && out != NULL);

  *out = NULL;
  owned *o = gd_alloc(1, sizeof *o);
  if (o == NULL)
    return GD_ERR_NOMEM;
  machine *m = &o->machine;
  *m = (machine){.path = path, .data = data, .n_bytes = n_bytes};
  gd_status st = run(m);
  const value *top = peek(m, 0);
  if (st == GD_OK && is_kind(top, DICT))
    st = collect(&(collector){.machine = m, .out = &o->pickle}, top, "", 0);
  else if (st == GD_OK && is_kind(top, LIST))
    st = collect_texts(m, top, &o->pickle);
  o->pickle.size_bytes = m->at;
  if (st != GD_OK) {
    gd_pickle_free(&o->pickle);
    return st;
  }
  *out = &o->pickle;
  return GD_OK;
}
