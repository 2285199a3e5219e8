#include "weights/pickle_machine.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "gradus/memory.h"

typedef gd_pickled value;
typedef gd_pickle_machine machine;

static gd_status refuse(const machine *m, const char *what)
{
  return gd_fail(GD_ERR_FORMAT, "%s: pickle, byte %zu: %s", m->path,
                 m->opcode_at, what);
}

/* Make room for one more item: a file must not ask for all memory. */
static gd_status grow(void *array, int n, int64_t *room, size_t item_bytes)
{
  if (n >= GD_PICKLE_MOST_VALUES)
    return gd_fail(GD_ERR_FORMAT, "a pickle of more than %d values",
                   GD_PICKLE_MOST_VALUES);
  return gd_grow(array, n + 1, room, item_bytes);
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

static gd_status push_kind(machine *m, gd_pickled_kind k)
{
  return push(m, (value){.kind = k});
}

static gd_status push_number(machine *m, int64_t number)
{
  return push(m, (value){.kind = GD_PICKLED_NUMBER, .number = number});
}

/* Return the value `depth` below the top, or NULL. */
static value *peek(const machine *m, int depth)
{
  return depth < m->n_stack ? &m->values[m->stack[m->n_stack - 1 - depth]]
                            : NULL;
}

/* Values are shared: few of them can be items of very many. */
static gd_status add_item(machine *m, value *to, int index)
{
  if (m->n_items++ >= GD_PICKLE_MOST_VALUES)
    return refuse(m, "more items than any network has");
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
  while (i >= 0 && m->values[m->stack[i]].kind != GD_PICKLED_MARK)
    i--;
  return i;
}

/* Take the top n values off the stack and add them to value `to`. */
static gd_status move_items(machine *m, int to, int n)
{
  gd_status st = GD_OK;
  const int first = m->n_stack - n;
  for (int i = 0; st == GD_OK && i < n; i++)
    st = add_item(m, &m->values[to], m->stack[first + i]);
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
  m->values[tuple] = (value){.kind = GD_PICKLED_TUPLE};
  st = move_items(m, tuple, n);
  return st == GD_OK ? push_index(m, tuple) : st;
}

/* Put what lies above the mark into the list or dictionary below it. */
static gd_status extend(machine *m, gd_pickled_kind wanted)
{
  const int mark = find_mark(m);
  const int n = m->n_stack - mark - 1;
  if (mark < 1 || m->values[m->stack[mark - 1]].kind != wanted ||
      (wanted == GD_PICKLED_DICT && n % 2 != 0))
    return refuse(m, "items for something that cannot hold them");
  gd_status st = move_items(m, m->stack[mark - 1], n);
  m->n_stack = mark;
  return st;
}

static gd_status extend_by(machine *m, gd_pickled_kind wanted, int n)
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

static gd_status push_text(machine *m, gd_pickled_kind k, size_t n)
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
  return st == GD_OK ? push_text(m, GD_PICKLED_TEXT, (size_t)n) : st;
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
    return push_kind(m, GD_PICKLED_NOTHING);
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
                      : push(m, (value){.kind = GD_PICKLED_NAME, .text = text});
}

static gd_status join_name(machine *m)
{
  const value *module = peek(m, 1), *name = peek(m, 0);
  if (module == NULL || module->kind != GD_PICKLED_TEXT ||
      name->kind != GD_PICKLED_TEXT)
    return refuse(m, "a name that is no text");
  const size_t room = strlen(module->text) + strlen(name->text) + 2;
  char *text = gd_alloc((int64_t)room, 1);
  if (text == NULL)
    return GD_ERR_NOMEM;
  snprintf(text, room, "%s %s", module->text, name->text);
  m->n_stack -= 2;
  return push(m, (value){.kind = GD_PICKLED_NAME, .text = text});
}

static gd_status remember(machine *m, uint64_t slot)
{
  if (m->n_stack == 0 || slot >= GD_PICKLE_MOST_VALUES)
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

gd_pickled *gd_pickled_item(const gd_pickle_machine *m, const gd_pickled *v,
                            int i)
{
  return i < v->n_items ? &m->values[v->items[i]] : NULL;
}

int gd_pickled_is(const gd_pickled *v, gd_pickled_kind kind)
{
  return v != NULL && v->kind == kind;
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
  if (!gd_pickled_is(id, GD_PICKLED_TUPLE) ||
      !gd_pickled_is(gd_pickled_item(m, id, 0), GD_PICKLED_TEXT) ||
      strcmp(gd_pickled_item(m, id, 0)->text, "storage") != 0 ||
      !gd_pickled_is(gd_pickled_item(m, id, 1), GD_PICKLED_NAME) ||
      !gd_pickled_is(gd_pickled_item(m, id, 2), GD_PICKLED_TEXT) ||
      !gd_pickled_is(gd_pickled_item(m, id, 4), GD_PICKLED_NUMBER) ||
      gd_pickled_item(m, id, 4)->number < 0 ||
      gd_pickled_item(m, id, 4)->number > INT64_MAX / 16)
    return refuse(m, "a reference to something other than a storage");
  value storage = {.kind = GD_PICKLED_STORAGE,
                   .number = gd_pickled_item(m, id, 4)->number,
                   .text = gd_pickled_item(m, id, 2)->text};
  const char *name = gd_pickled_item(m, id, 1)->text;
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
  const value *storage = gd_pickled_item(m, arguments, 0),
              *first = gd_pickled_item(m, arguments, 1);
  if (!gd_pickled_is(storage, GD_PICKLED_STORAGE) ||
      !gd_pickled_is(first, GD_PICKLED_NUMBER) ||
      !gd_pickled_is(gd_pickled_item(m, arguments, 2), GD_PICKLED_TUPLE) ||
      !gd_pickled_is(gd_pickled_item(m, arguments, 3), GD_PICKLED_TUPLE))
    return refuse(m, "a tensor without storage, sizes or strides");
  value tensor = {.kind = GD_PICKLED_TENSOR, .number = first->number};
  for (int i = 0; i < 4; i++) {
    const int from = arguments->items[i];
    gd_status st = i == 1 ? GD_OK : add_item(m, &tensor, from);
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
  m->values[dict] = (value){.kind = GD_PICKLED_DICT};
  const value *pairs = gd_pickled_item(m, arguments, 0);
  for (int i = 0; st == GD_OK && pairs != NULL && i < pairs->n_items; i++) {
    const value *pair = gd_pickled_item(m, pairs, i);
    if (pairs->kind != GD_PICKLED_LIST || pair->n_items != 2)
      return refuse(m, "an ordered dictionary of something other than pairs");
    st = add_item(m, &m->values[dict], pair->items[0]);
    if (st == GD_OK)
      st = add_item(m, &m->values[dict], pair->items[1]);
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
      m->path, m->opcode_at,
      gd_pickled_is(name, GD_PICKLED_NAME) ? name->text : "?");
}

/* Do what calling a name with arguments would do, for the names that are known.
 */
static gd_status reduce(machine *m)
{
  const value *name = peek(m, 1), *arguments = peek(m, 0);
  if (!gd_pickled_is(name, GD_PICKLED_NAME) ||
      !gd_pickled_is(arguments, GD_PICKLED_TUPLE))
    return refuse(m, "a call of something that is no name");
  if (strcmp(name->text, "torch._utils _rebuild_tensor_v2") == 0 ||
      strcmp(name->text, "torch._utils _rebuild_tensor") == 0)
    return make_tensor(m, arguments);
  if (strcmp(name->text, "collections OrderedDict") == 0)
    return make_dict(m, arguments);
  if (strcmp(name->text, "torch._utils _rebuild_parameter") == 0 &&
      gd_pickled_is(gd_pickled_item(m, arguments, 0), GD_PICKLED_TENSOR)) {
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
  if (!gd_pickled_is(object, GD_PICKLED_DICT))
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
                              : push_kind(m, GD_PICKLED_NOTHING);
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
    return push_kind(m, GD_PICKLED_MARK);
  case 'N': /* NONE */
    return push_kind(m, GD_PICKLED_NOTHING);
  case 0x88: /* NEWTRUE */
  case 0x89: /* NEWFALSE */
    return push_number(m, opcode == 0x88);
  case '}': /* EMPTY_DICT */
    return push_kind(m, GD_PICKLED_DICT);
  case ']': /* EMPTY_LIST */
    return push_kind(m, GD_PICKLED_LIST);
  case ')': /* EMPTY_TUPLE */
    return push_kind(m, GD_PICKLED_TUPLE);
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
    return extend_by(m, GD_PICKLED_LIST, 1);
  case 'e': /* APPENDS */
    return extend(m, GD_PICKLED_LIST);
  case 's': /* SETITEM */
    return extend_by(m, GD_PICKLED_DICT, 2);
  case 'u': /* SETITEMS */
    return extend(m, GD_PICKLED_DICT);
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

gd_status gd_pickle_machine_run(gd_pickle_machine *m)
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

const gd_pickled *gd_pickle_machine_top(const gd_pickle_machine *m)
{
  return peek(m, 0);
}

void gd_pickle_machine_end(gd_pickle_machine *m)
{
  for (int i = 0; i < m->n_values; i++) {
    value *v = &m->values[i];
    if (v->kind == GD_PICKLED_TEXT || v->kind == GD_PICKLED_NAME)
      free(v->text);
    free(v->items);
  }
  free(m->values);
  free(m->stack);
  free(m->memo);
}
