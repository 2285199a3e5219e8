#include "keys.h"

#include <assert.h>
#include <string.h>

#include "gradus/nearest.h"

#define LENGTH(array) (int)(sizeof(array) / sizeof(array)[0])
/* The largest whole number that a double, and so a range, holds exactly. */
#define LARGEST 9007199254740992.0

#define MAX_SKIPPED                                                            \
  {                                                                            \
    .name = "max_skipped", .type = GD_KEY_LIMIT, .unit = "videos or %",        \
    .fallback = "0", .neutral = 1,                                             \
    .sentence =                                                                \
        "Videos that may be skipped; with more, the run ends behind "          \
        "this stage with exit code 3, and no later one begins. 0: one "        \
        "is too many. Raising it computes nothing again."                      \
  }

static const gd_key corpus_keys[] = {
    {"layout", GD_KEY_CHOICE, .words = "table|avec2013|avec2014|list",
     .fallback = "table",
     .sentence = "How videos and labels lie in the root: docs/corpus.md shows "
                 "each; table: a file labels.csv; list: paths of videos "
                 "without labels, a line each, for `predict`."},
    {"root", GD_KEY_TEXT, .unit = "folder",
     .sentence = "Where the videos and labels are; the file of a list."},
    {"levels", GD_KEY_INT, .unit = "levels", .fallback = "64", .low = 2,
     .high = 4096, .sentence = "K: labels are 0 to K-1."},
};

static const gd_key synth_keys[] = {
    {"layout", GD_KEY_CHOICE, .words = "table|avec2013|avec2014",
     .fallback = "table", .sentence = "Names of files and folders to make."},
    {"seed", GD_KEY_INT, .fallback = "1", .high = LARGEST,
     .sentence = "The same seed draws the same videos."},
    {"subjects", GD_KEY_INT, .unit = "persons", .fallback = "36", .low = 3,
     .high = 999, .sentence = "Persons, dealt to the three partitions."},
    {"videos_per_subject", GD_KEY_INT, .unit = "videos", .fallback = "3",
     .low = 1, .high = 9,
     .sentence = "Sessions of each person; two videos each in avec2014."},
    {"seconds", GD_KEY_REAL, .unit = "s", .fallback = "3", .low = 0.2,
     .high = 3600, .sentence = "Length of a video."},
    {"fps", GD_KEY_REAL, .unit = "1/s", .fallback = "25", .low = 1, .high = 240,
     .sentence = "Frames per second."},
    {"width", GD_KEY_INT, .unit = "px", .fallback = "192", .low = 64,
     .high = 4096, .n = 2, .sentence = "Width of a frame."},
    {"height", GD_KEY_INT, .unit = "px", .fallback = "160", .low = 64,
     .high = 4096, .n = 2, .sentence = "Height of a frame."},
    {"levels", GD_KEY_INT, .unit = "levels", .fallback = "64", .low = 2,
     .high = 1000, .sentence = "K: labels are 0 to K-1."},
    {"label_noise", GD_KEY_REAL, .unit = "levels", .late = 1, .fallback = "0",
     .high = 1000,
     .sentence = "Standard deviation of the error of labels, in all "
                 "partitions; faces show the level without it."},
};

static const gd_key extract_keys[] = {
    {"every", GD_KEY_INT, .unit = "frames", .fallback = "10", .follows = 1,
     .high = 1e6,
     .sentence = "Keep every such frame, by presentation order, from the first "
                 "one; 0, which it is beside `rate`: by time."},
    {"rate", GD_KEY_REAL, .unit = "1/s", .fallback = "0", .high = 1000,
     .sentence = "Keep the first frame at or after each tick of a clock with "
                 "so many ticks a second; 0: `every` says."},
    {"start", GD_KEY_REAL, .unit = "s", .fallback = "0", .high = 1e9,
     .sentence = "Leave out frames shown before this time, counted from the "
                 "video's first frame."},
    {"stop", GD_KEY_REAL, .unit = "s", .fallback = "0", .high = 1e9,
     .sentence = "Leave out frames shown at this time or later; 0: none."},
    {"most", GD_KEY_INT, .unit = "frames", .fallback = "0", .high = 1e9,
     .sentence = "Where more frames of a video would be kept, keep so many, "
                 "spread evenly over them; 0: all."},
    {"damaged", GD_KEY_CHOICE, .words = "drop|keep", .fallback = "drop",
     .sentence = "Frames that the decoder had to mend: store them but leave "
                 "them out of all later stages, or use them."},
    {"store", GD_KEY_CHOICE, .words = "lossless|raw|jpeg",
     .fallback = "lossless",
     .sentence = "How frames are stored: as the video had them, packed; as "
                 "RGB, which any HDF5 tool reads; as JPEG, with loss."},
    {"quality", GD_KEY_INT, .fallback = "95", .low = 1, .high = 100,
     .sentence = "Of JPEG frames (4:4:4)."},
    {"shard_bytes", GD_KEY_BYTES, .unit = "bytes", .fallback = "256MiB",
     .low = 4096, .high = 1099511627776.0,
     .sentence = "About how large a file of frames becomes."},
    {"stall", GD_KEY_INT, .unit = "s", .fallback = "120", .low = 1,
     .high = 86400, .neutral = 1,
     .sentence = "A video is given up when reading it computes for so long "
                 "without another picture."},
    MAX_SKIPPED,
};

static const gd_key align_keys[] = {
    {"detector", GD_KEY_FILE, .words = "landmarks|drawn",
     .fallback = "landmarks",
     .sentence = "Weights of MTCNN (.h5, .safetensors); or `landmarks`: the "
                 "landmark CSV beside each video; or `drawn`: weights that "
                 "ship with gradus, for drawn faces only."},
    {"size", GD_KEY_INT, .unit = "px", .fallback = "224", .low = 32,
     .high = 1024, .n = 32, .sentence = "Side of an aligned face."},
    {"min_face", GD_KEY_INT, .unit = "px", .fallback = "20", .low = 12,
     .high = 4096, .sentence = "Smallest face that MTCNN looks for."},
    {"factor", GD_KEY_REAL, .fallback = "0.709", .low = 0.1, .high = 0.95,
     .sentence = "From one size of the picture that MTCNN searches to the next "
                 "smaller one; nearer to 1 finds more and takes longer."},
    {"thresholds", GD_KEY_REALS, .fallback = "[0.6, 0.7, 0.7]", .low = 0,
     .high = 1, .n = 3,
     .sentence = "Least probability of a face in P-, R- and O-Net."},
    {"search_every", GD_KEY_INT, .unit = "frames", .fallback = "20", .low = 1,
     .high = 1e6,
     .sentence = "Of the frames that extract kept, MTCNN searches one in so "
                 "many whole, the others where the face was; 1: all whole."},
    {"max_gap", GD_KEY_INT, .unit = "frames", .fallback = "2", .high = 1e6,
     .sentence =
         "So many kept frames without a face, between two with one, are "
         "interpolated; `missing` treats longer gaps and both ends."},
    {"missing", GD_KEY_CHOICE, .words = "drop|previous|centre",
     .fallback = "drop",
     .sentence =
         "A frame without a face that `max_gap` does not fill: leave it "
         "out, use the landmarks of the frame before (ahead of the first "
         "face: that one's), or the frame's centre."},
    {"alignment", GD_KEY_CHOICE, .words = "similarity|crop",
     .fallback = "similarity",
     .sentence = "Landmarks upon a template, or the square around the face's "
                 "box, for weights trained so (VGGFace2)."},
    {"margin", GD_KEY_REAL, .unit = "boxes", .fallback = "1.3", .low = 0.5,
     .high = 4, .sentence = "crop: side of the square."},
    {"sheets", GD_KEY_INT, .unit = "videos", .fallback = "8", .high = 1e6,
     .neutral = 1,
     .sentence = "So many videos get a contact sheet of their own: those with "
                 "the least share of detected faces first."},
    {"blur", GD_KEY_FLAG, .fallback = "false", .neutral = 1,
     .sentence = "Blur the faces on contact sheets, to pass them on."},
    MAX_SKIPPED,
};

static const gd_key train_keys[] = {
    {"loss", GD_KEY_CHOICE,
     .words = "expectation|softmax|euclidean|mean-variance|dldl|dldl-v2|sord|"
              "emd2|coral|corn|huber|l1|balanced",
     .fallback = "expectation",
     .sentence = "What training minimises: docs/training.md has the formulas."},
    {"loss_sigma", GD_KEY_REAL, .unit = "levels", .late = 1, .fallback = "2",
     .low = 1e-3, .high = 4096,
     .sentence = "dldl, dldl-v2: spread of the distribution about a label."},
    {"loss_mean", GD_KEY_REAL, .late = 1, .fallback = "0.2", .high = 1e6,
     .sentence = "mean-variance: weight of the squared error of the mean."},
    {"loss_variance", GD_KEY_REAL, .late = 1, .fallback = "0.05", .high = 1e6,
     .sentence = "mean-variance: weight of the variance."},
    {"loss_delta", GD_KEY_REAL, .unit = "levels", .late = 1, .fallback = "1",
     .low = 1e-6, .high = 1e6,
     .sentence = "huber: error from which the loss grows linearly."},
    {"levels", GD_KEY_INT, .unit = "levels", .fallback = GD_FROM_CORPUS,
     .follows = 1, .low = 2, .high = 4096,
     .sentence = "K: levels that the network tells apart; the corpus's own."},
    {"depth", GD_KEY_INT, .unit = "layers", .words = "18|34|50|101|152",
     .fallback = "50", .follows = 1, .low = 18, .high = 152,
     .sentence = "Layers of the residual network; those of `init`, if given."},
    {"hidden", GD_KEY_INT, .unit = "units", .fallback = "512", .low = 1,
     .high = 8192, .sentence = "Width of the dense layer before the levels."},
    {"profile", GD_KEY_CHOICE,
     .words = "gradus|torchvision|vggface2-bgr|vggface2-rgb|keras-vggface",
     .fallback = "gradus", .follows = 1,
     .sentence = "Strides, padding and input of the network (see docs/"
                 "weights.md); that of `init`, if given."},
    {"dropout", GD_KEY_REAL, .fallback = "0", .late = 1, .high = 0.99,
     .sentence =
         "Share of the inputs of each dense layer that is left out, anew "
         "for each face and epoch."},
    {"precision", GD_KEY_CHOICE, .words = "fp32|bf16", .fallback = "fp32",
     .late = 1,
     .sentence = "bf16: keep activations and their gradients in half the "
                 "memory, with 8 significant bits, to which the weights that "
                 "convolutions multiply with are rounded; sums, weights and "
                 "all else stay fp32."},
    {"init", GD_KEY_FILE, .fallback = "",
     .sentence = "Model file to start from, as `gradus import resnet` or a "
                 "training makes it; empty: random weights."},
    {"optimizer.kind", GD_KEY_CHOICE,
     .words = "adam|adamw|sgd|nesterov|lars|lamb", .fallback = "adam",
     .sentence = "How a gradient becomes a step."},
    {"optimizer.rate", GD_KEY_REAL, .fallback = "1e-4", .low = 0, .high = 1e6,
     .sentence = "Learning rate; the default is Adam's: SGD and Nesterov want "
                 "about 1e-2, LARS 1, LAMB 1e-3."},
    {"optimizer.rate_batch", GD_KEY_INT, .unit = "faces", .fallback = "0",
     .late = 1, .high = 1e6,
     .sentence =
         "Batch that the rate is meant for: it is multiplied by `batch` "
         "over this; 0: it is used as it is."},
    {"optimizer.beta1", GD_KEY_REAL, .fallback = "0.9", .low = 0, .high = 1,
     .sentence = "Adam, AdamW, LAMB: decay of the mean gradient."},
    {"optimizer.beta2", GD_KEY_REAL, .fallback = "0.999", .low = 0, .high = 1,
     .sentence = "Adam, AdamW, LAMB: decay of the mean squared gradient."},
    {"optimizer.epsilon", GD_KEY_REAL, .fallback = "1e-8", .low = 0, .high = 1,
     .sentence = "Adam, AdamW, LAMB: added to the divisor."},
    {"optimizer.momentum", GD_KEY_REAL, .fallback = "0.9", .low = 0, .high = 1,
     .sentence = "SGD, Nesterov, LARS: momentum."},
    {"optimizer.weight_decay", GD_KEY_REAL, .fallback = "0", .low = 0,
     .high = 1,
     .sentence =
         "Pull of weights towards zero: added to the gradient; by AdamW "
         "and LAMB beside it."},
    {"optimizer.trust", GD_KEY_REAL, .fallback = "0.001", .late = 1,
     .high = 1e6,
     .sentence = "LARS: size of a step, as a share of a tensor's weights."},
    {"clip", GD_KEY_REAL, .fallback = "0", .late = 1, .high = 1e30,
     .sentence = "Longest gradient of a step, as the norm over all weights; a "
                 "longer one is shortened; 0: any."},
    {"average", GD_KEY_REAL, .fallback = "0", .late = 1, .high = 0.999999,
     .sentence =
         "Decay of a moving average of the weights, such as 0.999, which "
         "is then evaluated and kept as the model; 0: none."},
    {"freeze", GD_KEY_TEXT, .fallback = "", .late = 1,
     .sentence = "Weights that stay as they are: stem, layer1 to layer4, or "
                 "what names begin with, separated by commas."},
    {"schedule.kind", GD_KEY_CHOICE, .words = "constant|cosine|step",
     .fallback = "constant", .sentence = "How the rate changes over epochs."},
    {"schedule.warmup", GD_KEY_REAL, .unit = "epochs", .fallback = "0",
     .low = 0, .high = 1e6, .sentence = "The rate rises linearly so long."},
    {"schedule.every", GD_KEY_INT, .unit = "epochs", .fallback = "10", .low = 1,
     .high = 1e6, .sentence = "step: epochs between two falls of the rate."},
    {"schedule.factor", GD_KEY_REAL, .fallback = "0.1", .low = 0, .high = 1,
     .sentence = "step: what the rate is multiplied with."},
    {"batch", GD_KEY_INT, .unit = "faces", .fallback = "32", .low = 1,
     .high = 1e6, .sentence = "Faces per step, over all ranks."},
    {"microbatch", GD_KEY_INT, .unit = "faces", .fallback = "8", .follows = 1,
     .low = 1, .high = 65536,
     .sentence = "Faces computed together: the unit of arithmetic and of batch "
                 "norm; at most `batch`."},
    {"balance", GD_KEY_CHOICE, .words = "none|level|video", .fallback = "none",
     .late = 1,
     .sentence = "Give each level, or each video, the same share of an epoch's "
                 "places; none: every training face has one."},
    {"epochs", GD_KEY_INT, .unit = "epochs", .fallback = "30", .low = 1,
     .high = 1e6, .sentence = "Passes over the training faces."},
    {"seed", GD_KEY_INT, .fallback = "1", .high = LARGEST,
     .sentence = "Initial weights, order, augmentation and dropout."},
    {"folds", GD_KEY_INT, .fallback = "0", .high = 1e5,
     .sentence =
         "Cross-validation: deal the persons of all partitions to so "
         "many folds of like levels, or take those that a table's "
         "column `fold` names; 3 or more; as many as persons: leave one "
         "out. 0: the corpus's partitions."},
    {"fold", GD_KEY_INT, .fallback = "1", .low = 1, .high = 1e5,
     .sentence =
         "The fold that is tested; the folds that follow it, a fifth of "
         "all and at least one, are for development, the rest for "
         "training. Sweep over it."},
    {"fold_seed", GD_KEY_INT, .fallback = "1", .high = LARGEST,
     .sentence = "How persons of like levels are dealt to folds."},
    {"flip", GD_KEY_FLAG, .fallback = "true",
     .sentence = "Mirror half of the training faces."},
    {"augment.rotate", GD_KEY_REAL, .unit = "degrees", .fallback = "0",
     .late = 1, .high = 180,
     .sentence = "Turn training faces by up to this, either way."},
    {"augment.scale", GD_KEY_REAL, .fallback = "0", .late = 1, .high = 0.9,
     .sentence = "Scale them by 1 - this to 1 + this."},
    {"augment.shift", GD_KEY_REAL, .fallback = "0", .late = 1, .high = 1,
     .sentence = "Shift them by up to this share of their side, in x and y."},
    {"augment.brightness", GD_KEY_REAL, .fallback = "0", .late = 1, .high = 1,
     .sentence = "Multiply their values by 1 - this to 1 + this."},
    {"augment.contrast", GD_KEY_REAL, .fallback = "0", .late = 1, .high = 1,
     .sentence = "Likewise the distance from their mean grey."},
    {"augment.grey", GD_KEY_REAL, .fallback = "0", .late = 1, .high = 1,
     .sentence = "Share of the training faces that lose their colour."},
    {"augment.erase", GD_KEY_REAL, .fallback = "0", .late = 1, .high = 1,
     .sentence = "Share of them of which a rectangle becomes grey."},
    {"select", GD_KEY_CHOICE, .words = "dev|last", .fallback = "dev",
     .sentence = "Keep the epoch with the least development MAE, or the last "
                 "one."},
    {"patience", GD_KEY_INT, .unit = "epochs", .fallback = "0", .late = 1,
     .high = 1e6,
     .sentence = "End after so many epochs without a lower development "
                 "MAE, which needs `select: dev`; 0: make all epochs."},
    {"checkpoint_every", GD_KEY_INT, .unit = "steps", .fallback = "0",
     .high = 1e9, .neutral = 1,
     .sentence = "Steps between checkpoints; 0: only at the end of an epoch."},
    {"keep_checkpoints", GD_KEY_INT, .fallback = "2", .low = 1, .high = 1000,
     .neutral = 1,
     .sentence =
         "Checkpoints kept while training: so many of the last, and the "
         "selected epoch's; of one that has ended, the last and the selected "
         "epoch's stay. Of Adam each is three times the model, with `average` "
         "four times."},
};

/* `train-detector`: a macro pastes the names of tables. */
static const gd_key detector_keys[] = {
    {"seed", GD_KEY_INT, .fallback = "1", .high = LARGEST,
     .sentence = "Drawn images, initial weights and the choice of crops."},
    {"images", GD_KEY_REALS, .unit = "images",
     .fallback = "[16000, 24000, 34000]", .low = 1, .high = 1e9, .n = 3,
     .sentence = "Images that are drawn for P-, R- and O-Net."},
    {"batch", GD_KEY_INT, .unit = "images", .fallback = "4", .low = 1,
     .high = 1e6, .sentence = "Images per step, over all ranks."},
    {"microbatch", GD_KEY_INT, .unit = "images", .fallback = "2", .follows = 1,
     .low = 1, .high = 64,
     .sentence = "Images computed together: the unit of arithmetic and of "
                 "hard examples; at most `batch`."},
    {"rates", GD_KEY_REALS, .fallback = "[6e-3, 2e-3, 2e-3]", .low = 0,
     .high = 1e6, .n = 3,
     .sentence = "Learning rates of Adam for the nets, at first; they fall "
                 "along a cosine."},
    {"min_face", GD_KEY_INT, .unit = "px", .fallback = "16", .low = 12,
     .high = 4096,
     .sentence = "Smallest face that is looked for when examples for R- and "
                 "O-Net are collected."},
    {"checkpoint_every", GD_KEY_INT, .unit = "steps", .fallback = "500",
     .high = 1e9, .neutral = 1,
     .sentence = "Steps between checkpoints; 0: only at the end of a net."},
};

static const gd_key evaluate_keys[] = {
    {"partition", GD_KEY_CHOICE, .words = "train|dev|test", .fallback = "test",
     .sentence = "Videos that are scored."},
    {"average", GD_KEY_CHOICE, .words = "mean|median|trimmed",
     .fallback = "mean",
     .sentence = "A video's score, given its frames': trimmed is the mean "
                 "without the lowest and the highest tenth."},
    {"interval", GD_KEY_REAL, .fallback = "0.9", .low = 0, .high = 0.999,
     .sentence = "Share of videos whose label the prediction intervals are to "
                 "hold, as the development videos tell; of test videos only, "
                 "and where there are development videos; 0: none."},
    {"precision", GD_KEY_CHOICE, .words = "model|fp32|bf16",
     .fallback = "model", .late = 1,
     .sentence = "What activations are kept in; model: as in its training."},
    {"attention", GD_KEY_INT, .unit = "faces", .fallback = "0", .late = 1,
     .high = 64,
     .sentence = "So many faces have their attention map drawn: of the video "
                 "with the median error in each severity band, of those with "
                 "the smallest and the largest error, then of the next ones; "
                 "0: none."},
    {"blur", GD_KEY_FLAG, .fallback = "true", .late = 1,
     .sentence = "Blur the faces under attention maps beyond recognition."},
};

static const gd_key predict_keys[] = {
    {"model", GD_KEY_FILE,
     .sentence = "Model that scores the videos of a corpus of layout `list`. "
                 "Give extract and align the keys of its training: only the "
                 "faces' size and alignment are compared. `gradus predict` "
                 "takes these keys from the model."},
    {"calibration", GD_KEY_FILE, .fallback = "",
     .sentence = "calibration.yaml of an evaluation of this model: average and "
                 "prediction intervals; empty: the mean, and no intervals."},
    {"film", GD_KEY_FLAG, .fallback = "false",
     .sentence = "Write attention-NNNNN.mp4 for each video: its faces, with "
                 "what raises and what lowers their level."},
    {"blur", GD_KEY_FLAG, .fallback = "true",
     .sentence = "Blur the faces of the films."},
};

static const gd_key report_keys[] = {
    {"bootstrap.draws", GD_KEY_INT, .fallback = "2000", .high = 1e6,
     .sentence = "Resamplings of the persons from which intervals of errors "
                 "are computed; 0: no intervals."},
    {"bootstrap.level", GD_KEY_REAL, .fallback = "0.95", .low = 0.5,
     .high = 0.999, .sentence = "How often an interval is to hold."},
    {"bootstrap.seed", GD_KEY_INT, .fallback = "1", .high = LARGEST,
     .sentence = "Which resamplings; all methods meet the same."},
    {"title", GD_KEY_TEXT, .fallback = "",
     .sentence = "Heading of the report; empty: the job's name."},
};

static const gd_key slurm_keys[] = {
    {"nodes", GD_KEY_INT, .fallback = "1", .low = 1, .high = 1e5,
     .sentence = "Nodes."},
    {"ntasks-per-node", GD_KEY_INT, .fallback = "1", .low = 1, .high = 1e4,
     .sentence = "Ranks per node."},
    {"cpus-per-task", GD_KEY_INT, .fallback = "1", .low = 1, .high = 1e4,
     .sentence = "Threads per rank."},
    {"time", GD_KEY_LINE, .fallback = "", .unit = "[days-]h:m:s",
     .sentence = "Time limit; write it in quotes."},
    {"mem", GD_KEY_LINE, .fallback = "", .sentence = "Memory per node."},
    {"partition", GD_KEY_LINE, .fallback = "", .sentence = "Queue."},
    {"account", GD_KEY_LINE, .fallback = "", .sentence = "Who pays."},
    {"qos", GD_KEY_LINE, .fallback = "", .sentence = "Quality of service."},
    {"constraint", GD_KEY_LINE, .fallback = "", .sentence = "Node features."},
    {"exclusive", GD_KEY_FLAG, .fallback = "false",
     .sentence = "Share nodes with nobody."},
};

static const gd_key site_keys[] = {
    {"launcher", GD_KEY_CHOICE, .words = "srun|mpirun", .fallback = "srun",
     .sentence = "What starts the ranks; mpirun where Slurm and MPI were built "
                 "without PMIx."},
    {"mpi", GD_KEY_LINE, .fallback = "pmix",
     .sentence = "What srun is told by --mpi; `srun --mpi=list` shows what "
                 "there is."},
    {"launcher_options", GD_KEY_LINE, .fallback = "",
     .sentence = "Further words for the launcher, parted by blanks."},
    {"modules", GD_KEY_LINE, .fallback = "",
     .sentence = "Modules that every job loads first, parted by blanks."},
    {"setup", GD_KEY_LINE, .unit = "file", .fallback = "",
     .sentence = "Shell script that every job sources then."},
    {"container", GD_KEY_LINE, .fallback = "",
     .sentence = "Words before the program, parted by blanks: `apptainer exec "
                 "gradus.sif`."},
    {"program", GD_KEY_LINE, .unit = "file", .fallback = "",
     .sentence = "gradus on the nodes; empty: the one that submits, or "
                 "`gradus` in a container."},
    {"restart", GD_KEY_CHOICE, .words = "requeue|chain", .fallback = "requeue",
     .sentence = "How a stopped stage goes on: by `scontrol requeue`, or, "
                 "where that is forbidden, in the next of `links` jobs that "
                 "wait for one another."},
    {"links", GD_KEY_INT, .unit = "jobs", .fallback = "3", .low = 2, .high = 99,
     .sentence = "chain: jobs per stage."},
    {"notice", GD_KEY_INT, .unit = "s", .fallback = "120", .low = 1,
     .high = 65535,
     .sentence = "How long before its time limit a job is asked to stop: "
                 "longer than a training step and a checkpoint take."},
    {"array_size", GD_KEY_INT, .unit = "members", .fallback = "1000", .low = 1,
     .high = 1e6, .sentence = "Largest job array; below Slurm's MaxArraySize."},
    {"array_running", GD_KEY_INT, .unit = "members", .fallback = "0",
     .high = 1e6,
     .sentence = "Members of an array that run at a time; 0: as Slurm likes."},
};

#define SECTION(name_, version_, gathers_, summary_, ...)                      \
  {                                                                            \
    .kind = #name_, .summary = summary_, .version = version_,                  \
    .gathers = gathers_, .inputs = {__VA_ARGS__}, .keys = name_##_keys,        \
    .n_keys = LENGTH(name_##_keys)                                             \
  }

static const gd_section stage_sections[] = {
    SECTION(synth, 1, 0, "draw a corpus of talking heads", NULL),
    SECTION(extract, 2, 0, "decode videos into frame shards", "corpus"),
    SECTION(align, 3, 0, "find, align and cut out faces", "extract"),
    SECTION(train, 1, 0, "train a network on faces", "align"),
    {.kind = "train-detector",
     .summary = "train a face detector on drawn images",
     .version = 2,
     .inputs = {NULL},
     .keys = detector_keys,
     .n_keys = LENGTH(detector_keys)},
    SECTION(evaluate, 3, 0, "score videos with a model", "train", "align"),
    SECTION(predict, 1, 0, "score videos without labels", "align"),
    SECTION(report, 3, 1, "gather scores into tables and pages", "evaluate"),
};

static const gd_section corpus_section =
    SECTION(corpus, 1, 0, "videos and labels that are there already", NULL);
static const gd_section slurm_section =
    SECTION(slurm, 1, 0, "resources of a stage, or of all (`defaults`)", NULL);
static const gd_section site_section =
    SECTION(site, 1, 0,
            "the site file of `gradus submit`; its block `slurm` has the keys "
            "above, for all stages that do not say otherwise",
            NULL);

const gd_section *gd_sections(int *n)
{
  *n = LENGTH(stage_sections);
  return stage_sections;
}

const gd_section *gd_section_of(const char *kind)
{
  for (int i = 0; i < LENGTH(stage_sections); i++)
    if (strcmp(stage_sections[i].kind, kind) == 0)
      return &stage_sections[i];
  return NULL;
}

const gd_section *gd_section_corpus(void)
{
  return &corpus_section;
}

const gd_section *gd_section_slurm(void)
{
  return &slurm_section;
}

const gd_section *gd_section_site(void)
{
  return &site_section;
}

int gd_section_find(const gd_section *s, const char *key)
{
  for (int i = 0; i < s->n_keys; i++)
    if (strcmp(s->keys[i].name, key) == 0)
      return i;
  return -1;
}

const char *gd_section_nearest(const gd_section *s, const char *key)
{
  const char *names[64];
  assert(s->n_keys <= LENGTH(names));
  for (int i = 0; i < s->n_keys; i++)
    names[i] = s->keys[i].name;
  return gd_nearest(key, names, s->n_keys);
}

int gd_words_have(const char *words, const char *word)
{
  const size_t length = strlen(word);
  if (length == 0)
    return 0;
  for (const char *c = words; c != NULL && *c != '\0';) {
    const size_t n = strcspn(c, "|");
    if (n == length && memcmp(c, word, n) == 0)
      return 1;
    c += n + (c[n] == '|');
  }
  return 0;
}
