/* What a wrong manifest gets: place, reason, line, caret, to the letter. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "gradus/job.h"
#include "test.h"

typedef struct {
  const char *name;
  const char *text;
  const char *set;    /* NULL: none */
  const char *reason; /* behind the manifest's path, or behind nothing */
} fault;

static const fault faults[] = {
    {"Latin-1",
     "job: x\n"
     "# M\xc3\xbcller\n"
     "work: \"\xc3\xa9\"\n"
     "stages: \xe9t\xe9\n",
     NULL,
     ":4:9: error: a byte that is no UTF-8: save it as UTF-8\n"
     "  stages: \xe9t\xe9\n"
     "          ^"},
    {"Latin-1 behind UTF-8", "job: \"\xc3\xa9\xe9\"\n", NULL,
     ":1:8: error: a byte that is no UTF-8: save it as UTF-8\n"
     "  job: \"\xc3\xa9\xe9\"\n"
     "         ^"},
    {"unknown block", "jop: x\n", NULL,
     ":1:1: error: unknown key 'jop' of a manifest; did you mean 'job'?\n"
     "  jop: x\n"
     "  ^~~"},
    {"no stages",
     "job: x\n"
     "stages: {}\n",
     NULL,
     ":2:1: error: there are no stages\n"
     "  stages: {}\n"
     "  ^"},
    {"unknown key",
     "job: x\n"
     "stages:\n"
     "  frames: {stage: extract, from: corpus, evry: 5}\n"
     "corpus: {root: .}\n",
     NULL,
     ":3:42: error: unknown key 'evry' of 'extract'; did you mean 'every'?\n"
     "    frames: {stage: extract, from: corpus, evry: 5}\n"
     "                                           ^~~~"},
    {"wrong type",
     "job: x\n"
     "corpus: {root: .}\n"
     "stages:\n"
     "  frames:\n"
     "    stage: extract\n"
     "    from: corpus\n"
     "    every: ten\n",
     NULL,
     ":7:12: error: 'every' takes an integer from 0 to 1000000, not 'ten'\n"
     "      every: ten\n"
     "             ^~~"},
    {"out of range",
     "job: x\n"
     "corpus: {root: .}\n"
     "stages:\n"
     "  frames:\n"
     "    stage: extract\n"
     "    from: corpus\n"
     "    every: -1\n",
     NULL,
     ":7:12: error: 'every' takes an integer from 0 to 1000000, not '-1'\n"
     "      every: -1\n"
     "             ^~"},
    {"no multiple",
     "job: x\n"
     "corpus: {root: .}\n"
     "stages:\n"
     "  frames: {stage: extract, from: corpus}\n"
     "  faces: {stage: align, from: frames, size: 100}\n",
     NULL,
     ":5:45: error: 'size' takes an integer from 32 to 1024, a multiple of 32, "
     "not '100'\n"
     "    faces: {stage: align, from: frames, size: 100}\n"
     "                                              ^~~"},
    {"key twice",
     "job: x\n"
     "corpus: {root: .}\n"
     "stages:\n"
     "  frames: {stage: extract, from: corpus, every: 3, every: 4}\n",
     NULL,
     ":4:52: error: key 'every' twice; first on line 4\n"
     "    frames: {stage: extract, from: corpus, every: 3, every: 4}\n"
     "                                                     ^~~~~"},
    {"cycle",
     "job: x\n"
     "corpus: {root: .}\n"
     "stages:\n"
     "  frames: {stage: extract, from: model}\n"
     "  faces: {stage: align, from: frames}\n"
     "  model: {stage: train, from: faces}\n",
     NULL,
     ":5:31: error: a cycle: 'faces' takes from 'frames', which depends on it\n"
     "    faces: {stage: align, from: frames}\n"
     "                                ^~~~~~"},
    {"missing input",
     "job: x\n"
     "corpus: {root: .}\n"
     "stages:\n"
     "  frames: {stage: extract}\n",
     NULL,
     ":4:3: error: 'frames' needs an input of kind 'corpus': add it to 'from'\n"
     "    frames: {stage: extract}\n"
     "    ^~~~~~"},
    {"unknown kind",
     "job: x\n"
     "corpus: {root: .}\n"
     "stages:\n"
     "  frames: {stage: extrat, from: corpus}\n",
     NULL,
     ":4:19: error: unknown stage kind 'extrat'; did you mean 'extract'?\n"
     "    frames: {stage: extrat, from: corpus}\n"
     "                    ^~~~~~"},
    {"input of wrong kind",
     "job: x\n"
     "corpus: {root: .}\n"
     "stages:\n"
     "  frames: {stage: extract, from: corpus}\n"
     "  model: {stage: train, from: frames}\n",
     NULL,
     ":5:31: error: 'frames' is of kind 'extract'; 'train' takes align\n"
     "    model: {stage: train, from: frames}\n"
     "                                ^~~~~~"},
    {"unset variable",
     "job: x\n"
     "corpus: {root: \"${GRADUS_TEST_UNSET}/x\"}\n"
     "stages:\n"
     "  frames: {stage: extract, from: corpus}\n",
     NULL,
     ":2:17: error: environment variable 'GRADUS_TEST_UNSET' is not set\n"
     "  corpus: {root: \"${GRADUS_TEST_UNSET}/x\"}\n"
     "                  ^"},
    {"sweep over unknown key",
     "job: x\n"
     "corpus: {root: .}\n"
     "stages:\n"
     "  frames: {stage: extract, from: corpus}\n"
     "sweep:\n"
     "  frames: {evry: [1, 2]}\n",
     NULL,
     ":6:12: error: unknown key 'evry' of 'extract'; did you mean 'every'?\n"
     "    frames: {evry: [1, 2]}\n"
     "             ^~~~"},
    {"sweep value of wrong type",
     "job: x\n"
     "corpus: {root: .}\n"
     "stages:\n"
     "  frames: {stage: extract, from: corpus}\n"
     "sweep:\n"
     "  frames: {every: [1, two]}\n",
     NULL,
     ":6:23: error: 'every' takes an integer from 0 to 1000000, not 'two'\n"
     "    frames: {every: [1, two]}\n"
     "                        ^~~"},
    {"bad yaml",
     "job: x\n"
     "corpus: {root: .}\n"
     "stages:\n"
     "  frames: {stage: extract, from: corpus\n"
     "sweep:\n",
     NULL,
     ":5:6: error: not YAML: missing comma in flow mapping\n"
     "  sweep:\n"
     "       ^"},
    {"set of wrong type",
     "job: x\n"
     "corpus: {root: .}\n"
     "stages:\n"
     "  frames: {stage: extract, from: corpus}\n",
     "frames.every=x",
     "--set frames.every=x: error: 'every' takes an integer from 0 to 1000000, "
     "not 'x'\n"
     "  frames.every=x\n"
     "               ^"},
    {"set of unknown stage",
     "job: x\n"
     "corpus: {root: .}\n"
     "stages:\n"
     "  frames: {stage: extract, from: corpus}\n",
     "frame.every=2",
     "--set frame.every=2: error: the manifest has no stage 'frame'; did you "
     "mean 'frames'?\n"
     "  frame.every=2\n"
     "  ^~~~~"},
    {"set without value",
     "job: x\n"
     "corpus: {root: .}\n"
     "stages:\n"
     "  frames: {stage: extract, from: corpus}\n",
     "frames",
     "--set frames: error: '=' is missing: write stage.key=value\n"
     "  frames\n"
     "  ^"},
    {"missing file",
     "job: x\n"
     "stages:\n"
     "  corpus: {stage: synth}\n"
     "  frames: {stage: extract, from: corpus}\n"
     "  faces: {stage: align, from: frames, detector: none.h5}\n",
     NULL,
     ":5:49: error: none.h5: cannot read: No such file or directory\n"
     "    faces: {stage: align, from: frames, detector: none.h5}\n"
     "                                                  ^~~~~~~"},
    {"wrong word",
     "job: x\n"
     "corpus: {root: .}\n"
     "stages:\n"
     "  frames: {stage: extract, from: corpus}\n"
     "  faces: {stage: align, from: frames, missing: dorp}\n",
     NULL,
     ":5:48: error: 'missing' takes one of drop|previous|centre, not 'dorp'; "
     "did you mean 'drop'?\n"
     "    faces: {stage: align, from: frames, missing: dorp}\n"
     "                                                 ^~~~"},
    {"number of a list",
     "job: x\n"
     "corpus: {root: .}\n"
     "stages:\n"
     "  frames: {stage: extract, from: corpus}\n"
     "  faces: {stage: align, from: frames, thresholds: [0.6, 2, 0.7]}\n"
     "  model: {stage: train, from: faces, batch: 4, microbatch: 8}\n",
     NULL,
     ":5:57: error: 'thresholds' takes a list of 3 numbers from 0 to 1, not "
     "'2'\n"
     "    faces: {stage: align, from: frames, thresholds: [0.6, 2, 0.7]}\n"
     "                                                          ^"},
    {"batch",
     "job: x\n"
     "stages:\n"
     "  corpus: {stage: synth}\n"
     "  frames: {stage: extract, from: corpus}\n"
     "  faces: {stage: align, from: frames}\n"
     "  model: {stage: train, from: faces, batch: 4, microbatch: 8}\n",
     NULL,
     ":6:60: error: 'microbatch' is 8, more than 'batch', 4\n"
     "    model: {stage: train, from: faces, batch: 4, microbatch: 8}\n"
     "                                                             ^"},
    {"whole images",
     "job: x\n"
     "stages:\n"
     "  detector: {stage: train-detector, images: [6, 2.5, 3]}\n",
     NULL,
     ":3:46: error: 'images' takes whole numbers, not [6, 2.5, 3]\n"
     "    detector: {stage: train-detector, images: [6, 2.5, 3]}\n"
     "                                               ^"},
    {"patience",
     "job: x\n"
     "stages:\n"
     "  corpus: {stage: synth}\n"
     "  frames: {stage: extract, from: corpus}\n"
     "  faces: {stage: align, from: frames}\n"
     "  model: {stage: train, from: faces, patience: 4, select: last}\n",
     NULL,
     ":6:48: error: 'patience' waits for a lower development MAE: it needs "
     "'select: dev'\n"
     "    model: {stage: train, from: faces, patience: 4, select: last}\n"
     "                                                 ^"},
    {"part to freeze that no network has",
     "job: x\n"
     "stages:\n"
     "  corpus: {stage: synth}\n"
     "  frames: {stage: extract, from: corpus}\n"
     "  faces: {stage: align, from: frames}\n"
     "  model: {stage: train, from: faces, freeze: \"layer1.0, layr2\"}\n",
     NULL,
     ":6:47: error: 'freeze': no weights are called layr2: there are stem, "
     "layer1 to layer4, and fc\n"
     "    model: {stage: train, from: faces, freeze: \"layer1.0, layr2\"}\n"
     "                                                ^~~~~~~~~~~~~~~"},
    {"part to freeze that the stem does not have",
     "job: x\n"
     "stages:\n"
     "  corpus: {stage: synth}\n"
     "  frames: {stage: extract, from: corpus}\n"
     "  faces: {stage: align, from: frames}\n"
     "  model: {stage: train, from: faces, freeze: stem.0}\n",
     NULL,
     ":6:46: error: 'freeze': no weights are called stem.0: there are stem, "
     "layer1 to layer4, and fc\n"
     "    model: {stage: train, from: faces, freeze: stem.0}\n"
     "                                               ^~~~~~"},
    {"block to freeze that only a deeper network has",
     "job: x\n"
     "stages:\n"
     "  corpus: {stage: synth}\n"
     "  frames: {stage: extract, from: corpus}\n"
     "  faces: {stage: align, from: frames}\n"
     "  deep: {stage: train, from: faces, depth: 101, freeze: layer3.22}\n"
     "  model: {stage: train, from: faces, freeze: layer3.22}\n",
     NULL,
     ":7:46: error: 'freeze': no weights are called layer3.22: there are stem, "
     "layer1 to layer4, and fc\n"
     "    model: {stage: train, from: faces, freeze: layer3.22}\n"
     "                                               ^~~~~~~~~"},
    {"nothing left to train",
     "job: x\n"
     "stages:\n"
     "  corpus: {stage: synth}\n"
     "  frames: {stage: extract, from: corpus}\n"
     "  faces: {stage: align, from: frames}\n"
     "  model:\n"
     "    stage: train\n"
     "    from: faces\n"
     "    freeze: stem layer1 layer2 layer3 layer4 fc\n",
     NULL,
     ":9:13: error: 'freeze': stem layer1 layer2 layer3 layer4 fc leaves "
     "nothing to train\n"
     "      freeze: stem layer1 layer2 layer3 layer4 fc\n"
     "              ^~~~~~~~~~~~~~~~~~~~~~~~~~~~~~~~~~~"},
    {"profile that a depth does not have",
     "job: x\n"
     "stages:\n"
     "  corpus: {stage: synth}\n"
     "  frames: {stage: extract, from: corpus}\n"
     "  faces: {stage: align, from: frames}\n"
     "  model: {stage: train, from: faces, depth: 18, profile: vggface2-rgb}\n",
     NULL,
     ":6:58: error: 'profile' is vggface2-rgb: a ResNet-18 has no 1x1 "
     "convolution to stride on: its profile must say stride=3x3\n"
     "    model: {stage: train, from: faces, depth: 18, profile: "
     "vggface2-rgb}\n"
     "                                                           ^~~~~~~~~~~~"},
    {"too few folds",
     "job: x\n"
     "stages:\n"
     "  corpus: {stage: synth}\n"
     "  frames: {stage: extract, from: corpus}\n"
     "  faces: {stage: align, from: frames}\n"
     "  model: {stage: train, from: faces, folds: 2}\n",
     NULL,
     ":6:45: error: 'folds' is 2: there have to be 3 or more, to test, for "
     "development and to train on\n"
     "    model: {stage: train, from: faces, folds: 2}\n"
     "                                              ^"},
    {"fold that is not there",
     "job: x\n"
     "stages:\n"
     "  corpus: {stage: synth}\n"
     "  frames: {stage: extract, from: corpus}\n"
     "  faces: {stage: align, from: frames}\n"
     "  model: {stage: train, from: faces, folds: 5}\n"
     "sweep:\n"
     "  model: {fold: [1, 6]}\n",
     NULL,
     ":8:21: error: 'fold' is 6, but 'folds' is 5\n"
     "    model: {fold: [1, 6]}\n"
     "                      ^"},
    {"folds over other faces",
     "job: x\n"
     "stages:\n"
     "  corpus: {stage: synth}\n"
     "  frames: {stage: extract, from: corpus}\n"
     "  faces: {stage: align, from: frames}\n"
     "  fewer: {stage: align, from: frames, missing: previous}\n"
     "  model: {stage: train, from: faces, folds: 5}\n"
     "  scores: {stage: evaluate, from: [model, fewer]}\n",
     NULL,
     ":8:3: error: 'scores' takes its faces from 'fewer', but the folds of "
     "'model' were dealt over those of 'faces': evaluate these\n"
     "    scores: {stage: evaluate, from: [model, fewer]}\n"
     "    ^~~~~~"},
    {"range that goes down",
     "job: x\n"
     "corpus: {root: .}\n"
     "stages:\n"
     "  frames: {stage: extract, from: corpus}\n"
     "sweep:\n"
     "  frames: {every: 5..1}\n",
     NULL,
     ":6:19: error: a range goes up from one whole number to another, over at "
     "most 10000\n"
     "    frames: {every: 5..1}\n"
     "                    ^~~~"},
    {"two samplings",
     "job: x\n"
     "stages:\n"
     "  corpus: {stage: synth}\n"
     "  frames: {stage: extract, from: corpus, every: 5, rate: 3}\n",
     NULL,
     ":4:58: error: 'rate' and 'every' both say which frames to keep: leave "
     "one "
     "of them out, or set it to 0\n"
     "    frames: {stage: extract, from: corpus, every: 5, rate: 3}\n"
     "                                                           ^"},
    {"no sampling",
     "job: x\n"
     "stages:\n"
     "  corpus: {stage: synth}\n"
     "  frames: {stage: extract, from: corpus, every: 0}\n",
     NULL,
     ":4:49: error: 'every' and 'rate' are both 0: one of them has to say "
     "which "
     "frames to keep\n"
     "    frames: {stage: extract, from: corpus, every: 0}\n"
     "                                                  ^"},
    {"span of time",
     "job: x\n"
     "stages:\n"
     "  corpus: {stage: synth}\n"
     "  frames: {stage: extract, from: corpus, start: 5, stop: 2.5}\n",
     NULL,
     ":4:58: error: 'stop' is 2.5 s, not after 'start', 5 s\n"
     "    frames: {stage: extract, from: corpus, start: 5, stop: 2.5}\n"
     "                                                           ^~~"},
    {"nested key",
     "job: x\n"
     "corpus: {root: .}\n"
     "stages:\n"
     "  frames: {stage: extract, from: corpus}\n"
     "  faces: {stage: align, from: frames}\n"
     "  model: {stage: train, from: faces, optimizer: {rat: 1}}\n",
     NULL,
     ":6:50: error: unknown key 'optimizer.rat' of 'train'; did you mean "
     "'optimizer.rate'?\n"
     "    model: {stage: train, from: faces, optimizer: {rat: 1}}\n"
     "                                                   ^~~"},
    {"zip",
     "job: x\n"
     "corpus: {root: .}\n"
     "stages:\n"
     "  frames: {stage: extract, from: corpus}\n"
     "sweep:\n"
     "  frames: {zip: {every: [1, 2], shard_bytes: [1MiB]}}\n",
     NULL,
     ":6:47: error: 1 values to zip with lists of 2\n"
     "    frames: {zip: {every: [1, 2], shard_bytes: [1MiB]}}\n"
     "                                                ^"},
    {"double value",
     "job: x\n"
     "corpus: {root: .}\n"
     "stages:\n"
     "  frames: {stage: extract, from: corpus}\n"
     "sweep:\n"
     "  frames: {every: [1, 2, 1]}\n",
     NULL,
     ":6:26: error: value '1' twice in a sweep\n"
     "    frames: {every: [1, 2, 1]}\n"
     "                           ^"},
    {"slurm",
     "job: x\n"
     "corpus: {root: .}\n"
     "stages:\n"
     "  frames: {stage: extract, from: corpus}\n"
     "slurm:\n"
     "  frames: {nodes: 0}\n",
     NULL,
     ":6:19: error: 'nodes' takes an integer from 1 to 100000, not '0'\n"
     "    frames: {nodes: 0}\n"
     "                    ^"},
    {"input twice",
     "job: x\n"
     "corpus: {root: .}\n"
     "stages:\n"
     "  frames: {stage: extract, from: [corpus, corpus]}\n",
     NULL,
     ":4:43: error: input 'corpus' twice\n"
     "    frames: {stage: extract, from: [corpus, corpus]}\n"
     "                                            ^~~~~~"},
    {"no corpus",
     "job: x\n"
     "stages:\n"
     "  frames: {stage: extract, from: corpus}\n",
     NULL,
     ":3:34: error: there is no `corpus:` block and no stage 'corpus'\n"
     "    frames: {stage: extract, from: corpus}\n"
     "                                   ^~~~~~"},
    {"job name",
     "job: x/y\n"
     "stages:\n"
     "  frames: {stage: extract, from: corpus}\n",
     NULL,
     ":1:6: error: 'job' is 1 to 48 letters, digits, '_' and '-', not 'x/y'\n"
     "  job: x/y\n"
     "       ^~~"},
    {"empty block",
     "job: x\n"
     "corpus:\n"
     "stages:\n"
     "  frames: {stage: extract, from: corpus}\n",
     NULL,
     ":2:1: error: 'corpus' takes a map, not nothing\n"
     "  corpus:\n"
     "  ^"},
    {"no map", "- a\n", NULL,
     ":1:3: error: a manifest takes a map, not a list\n"
     "  - a\n"
     "    ^"},
    {"no value",
     "job: x\n"
     "corpus: {root: .}\n"
     "stages:\n"
     "  frames: {stage: extract, from: corpus, every: }\n",
     NULL,
     ":4:42: error: 'every' has no value; it takes an integer from 0 to "
     "1000000\n"
     "    frames: {stage: extract, from: corpus, every: }\n"
     "                                           ^"},
    {"list for number",
     "job: x\n"
     "corpus: {root: .}\n"
     "stages:\n"
     "  frames: {stage: extract, from: corpus, every: [1]}\n",
     NULL,
     ":4:50: error: 'every' takes an integer from 0 to 1000000, not a list\n"
     "    frames: {stage: extract, from: corpus, every: [1]}\n"
     "                                                   ^"},
    {"required",
     "job: x\n"
     "corpus: {layout: table}\n"
     "stages:\n"
     "  frames: {stage: extract, from: corpus}\n",
     NULL,
     ":2:1: error: 'root' of 'corpus' is missing: Where the videos and labels "
     "are; the file of a list.\n"
     "  corpus: {layout: table}\n"
     "  ^~~~~~"},
    {"open brace",
     "job: x\n"
     "corpus: {root: \"a${B\"}\n"
     "stages:\n"
     "  frames: {stage: extract, from: corpus}\n",
     NULL,
     ":2:18: error: '${B' is not closed: '}' is missing\n"
     "  corpus: {root: \"a${B\"}\n"
     "                   ^"},
    {"corpus that is not there",
     "job: x\n"
     "corpus: {root: nowhere}\n"
     "stages:\n"
     "  frames: {stage: extract, from: corpus}\n",
     NULL,
     ":2:16: error: nowhere/labels.csv: No such file or directory\n"
     "  corpus: {root: nowhere}\n"
     "                 ^~~~~~~"},
};

static gd_status load(const char *text, const char *set, gd_job **out)
{
  /* Thousands of times: without the fsync of gd_file_write(). */
  const char *path = gd_test_path("m.yaml");
  FILE *file = fopen(path, "wb");
  assert_non_null(file);
  assert_true(fputs(text, file) >= 0);
  assert_int_equal(fclose(file), 0);
  return gd_job_load(path, &set, set != NULL, out);
}

static void fault_shows_place_reason_line_and_caret(void **state)
{
  (void)state;
  assert_int_equal(chdir(gd_test_directory()), 0);
  unsetenv("GRADUS_TEST_UNSET");
  for (size_t i = 0; i < sizeof faults / sizeof faults[0]; i++) {
    gd_job *job;
    const gd_status st = load(faults[i].text, faults[i].set, &job);
    const char *reason = gd_reason();
    const char *path = gd_test_path("m.yaml");
    if (strncmp(reason, path, strlen(path)) == 0)
      reason += strlen(path);
    if (st != GD_ERR_USAGE || strcmp(reason, faults[i].reason) != 0)
      fail_msg("%s: got\n%s\nexpected\n%s", faults[i].name, reason,
               faults[i].reason);
    assert_null(job);
  }
}

static const char whole[] =
    "job: whole # comment\n"
    "work: \"${GRADUS_TEST_WORK:-runs/x}\"\n"
    "stages:\n"
    "  corpus: {stage: synth, subjects: 6, layout: 'avec2014'}\n"
    "  frames: {stage: extract, from: corpus, max_skipped: 2%}\n"
    "  faces: {stage: align, from: [frames], thresholds: [0.6, 0.7, 0.8]}\n"
    "  model:\n"
    "    stage: train\n"
    "    from: faces\n"
    "    optimizer: {kind: sgd, rate: 1e-2}\n"
    "  scores: {stage: evaluate, from: [model, faces]}\n"
    "  report: {stage: report, from: scores, title: \"a \\\"b\\\" \\t\"}\n"
    "sweep:\n"
    "  model: {loss: [softmax, expectation], zip: {seed: [1, 2]}}\n"
    "slurm:\n"
    "  defaults: {time: \"1:00:00\"}\n";

/* Whatever a manifest is cut to or broken into, loading ends with a job or a
 * reason. */
static void manifest_cut_or_broken_at_any_byte_never_crashes(void **state)
{
  (void)state;
  static const char bytes[] = "{}[]:-,&*!|>%@`'\"#\n\t \x01\x80\xff?$~";
  const size_t length = strlen(whole);
  char text[sizeof whole];
  gd_job *job;
  for (size_t i = 0; i < length; i++) {
    memcpy(text, whole, sizeof whole);
    text[i] = '\0';
    (void)!gd_fail(GD_ERR_IO, "-");
    if (load(text, NULL, &job) != GD_OK)
      assert_true(strlen(gd_reason()) > 10);
    gd_job_free(job);
    memcpy(text, whole, sizeof whole);
    text[i] = bytes[i % (sizeof bytes - 1)];
    (void)!load(text, NULL, &job);
    gd_job_free(job);
  }
}

static void set_cut_at_any_byte_never_crashes(void **state)
{
  (void)state;
  static const char *const sets[] = {
      "sweep.model.zip.optimizer.rate=[1e-3, {a: &b [1]}, *b]",
      "slurm.defaults.time=\"1:00\"",
      "stages.model.optimizer={kind: adam}",
      "corpus.root=${GRADUS_TEST_UNSET:-x}",
      "work=a/b",
      "..=",
      "=x"};
  gd_job *job;
  for (size_t s = 0; s < sizeof sets / sizeof sets[0]; s++)
    for (size_t i = 0; i <= strlen(sets[s]); i++) {
      char set[128];
      snprintf(set, sizeof set, "%.*s", (int)i, sets[s]);
      (void)!load("job: x\nstages:\n  corpus: {stage: synth}\n", set, &job);
      gd_job_free(job);
      (void)!load(whole, set, &job);
      gd_job_free(job);
    }
}

static void alias_bomb_is_refused(void **state)
{
  (void)state;
  gd_job *job;
  assert_fails(load("a: &a [x,x,x,x,x,x,x,x,x,x]\n"
                    "b: &b [*a,*a,*a,*a,*a,*a,*a,*a,*a,*a]\n"
                    "c: &c [*b,*b,*b,*b,*b,*b,*b,*b,*b,*b]\n"
                    "d: &d [*c,*c,*c,*c,*c,*c,*c,*c,*c,*c]\n"
                    "e: &e [*d,*d,*d,*d,*d,*d,*d,*d,*d,*d]\n"
                    "f: &f [*e,*e,*e,*e,*e,*e,*e,*e,*e,*e]\n",
                    NULL, &job),
               GD_ERR_USAGE, "larger or deeper than a manifest may be");
  assert_fails(load("a: &a [*a]\n", NULL, &job), GD_ERR_USAGE, "deeper");
}

static void unreadable_manifest_is_named(void **state)
{
  (void)state;
  gd_job *job;
  assert_fails(gd_job_load("/nonexistent/j.yaml", NULL, 0, &job), GD_ERR_USAGE,
               "/nonexistent/j.yaml: no such manifest");
  assert_fails(gd_job_load("/", NULL, 0, &job), GD_ERR_USAGE, "/: is not");
  assert_ok(gd_file_write(gd_test_path("zero"), "job: \0x", 7));
  assert_fails(gd_job_load(gd_test_path("zero"), NULL, 0, &job), GD_ERR_USAGE,
               "zero bytes");
  const char *good = gd_test_path("zero");
  gd_test_forbid_files(1);
  const gd_status st = gd_job_load(good, NULL, 0, &job);
  gd_test_forbid_files(0);
  assert_failed(st, GD_ERR_IO, "zero: cannot read: ");
}

static const struct CMUnitTest tests[] = {
    cmocka_unit_test(fault_shows_place_reason_line_and_caret),
    cmocka_unit_test(manifest_cut_or_broken_at_any_byte_never_crashes),
    cmocka_unit_test(set_cut_at_any_byte_never_crashes),
    cmocka_unit_test(alias_bomb_is_refused),
    cmocka_unit_test(unreadable_manifest_is_named),
};

gd_test_main(tests)
