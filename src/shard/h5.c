#include "h5.h"

#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

/* HDF5 keeps its own stack of errors: take the innermost sentence of it, which
 * for a failed write is the system's ("No space left on device"). */
static herr_t take_innermost(unsigned n, const H5E_error2_t *error, void *text)
{
  if (n == 0)
    snprintf(text, 400, "%s", error->desc == NULL ? "" : error->desc);
  return 0;
}

gd_status gd_h5_fail(gd_status code, const char *path, const char *what)
{
  char text[400] = "";
  H5Ewalk2(H5E_DEFAULT, H5E_WALK_UPWARD, take_innermost, text);
  H5Eclear2(H5E_DEFAULT);
  const char *system = strstr(text, "error message = '");
  if (system != NULL) {
    char message[128];
    snprintf(message, sizeof message, "%s", system + 17);
    message[strcspn(message, "'")] = '\0';
    return gd_fail(code, "%s: %s: %s", path, what, message);
  }
  return gd_fail(code, "%s: %s%s%s", path, what, text[0] ? ": " : "", text);
}

static pthread_mutex_t alone;

static void make_mutex(void)
{
  pthread_mutexattr_t recursive;
  pthread_mutexattr_init(&recursive);
  pthread_mutexattr_settype(&recursive, PTHREAD_MUTEX_RECURSIVE);
  pthread_mutex_init(&alone, &recursive);
  pthread_mutexattr_destroy(&recursive);
}

int gd_h5_enter(void)
{
  static pthread_once_t once = PTHREAD_ONCE_INIT;
  pthread_once(&once, make_mutex);
  pthread_mutex_lock(&alone);
  return 1;
}

void gd_h5_leave(const int *is_alone)
{
  (void)is_alone;
  pthread_mutex_unlock(&alone);
}

/* After a failed write (full disk) HDF5 cannot close the file, and its own work
 * at exit crashes on what is left: everything is closed by us instead. */
static void begin_hdf5(void)
{
  H5dont_atexit();
  /* A file is what it holds itself: it cannot have another one opened. */
  H5Lunregister(H5L_TYPE_EXTERNAL);
}

void gd_h5_begin(void)
{
  static pthread_once_t once = PTHREAD_ONCE_INIT;
  pthread_once(&once, begin_hdf5);
  H5Eset_auto2(H5E_DEFAULT, NULL, NULL);
}

/* The descriptor of an open file, or -1. */
static int descriptor_of(hid_t file)
{
  int *descriptor = NULL;
  if (H5Fget_vfd_handle(file, H5P_DEFAULT, (void **)&descriptor) < 0 ||
      descriptor == NULL)
    return -1;
  return *descriptor;
}

void gd_h5_divert(hid_t file)
{
  const int descriptor = descriptor_of(file);
  const int sink = open("/dev/null", O_RDWR | O_CLOEXEC);
  if (sink >= 0 && descriptor >= 0)
    (void)dup2(sink, descriptor);
  if (sink >= 0)
    close(sink);
}

gd_status gd_h5_check_room(hid_t file, const char *path, int64_t reserved_bytes)
{
  enum { METADATA_BYTES = 1 << 18 }; /* more than a flush ever adds */
  const int descriptor = descriptor_of(file);
  hsize_t need;
  struct stat now;
  if (descriptor < 0 || H5Fget_filesize(file, &need) < 0 ||
      fstat(descriptor, &now) != 0)
    return GD_OK; /* nothing to tell: the flush itself will */
  off_t more = (off_t)need - (off_t)reserved_bytes - now.st_size;
  more = (more > 0 ? more : 0) + METADATA_BYTES;
  int error = posix_fallocate(descriptor, now.st_size, more);
  /* Room for what is reserved is not needed yet, but a file as long is. */
  if (error == 0 && (off_t)need > now.st_size &&
      ftruncate(descriptor, (off_t)need) != 0)
    error = errno;
  if (ftruncate(descriptor, now.st_size) != 0 || error == ENOSPC ||
      error == EFBIG || error == EDQUOT || error == EIO)
    return gd_fail(GD_ERR_IO, "%s: cannot write: %s", path,
                   strerror(error != 0 ? error : errno));
  return GD_OK;
}

int gd_h5_is_cut(hid_t file, int64_t size_bytes)
{
  struct stat now;
  const int descriptor = descriptor_of(file);
  return descriptor >= 0 && fstat(descriptor, &now) == 0 &&
         now.st_size < (off_t)size_bytes;
}

hid_t gd_h5_access(void)
{
  hid_t access = H5Pcreate(H5P_FILE_ACCESS);
  if (access >= 0) {
    /* The newest format puts a checksum on all metadata; locks fail on many
     * parallel file systems, and nobody reads an unfinished file. */
    H5Pset_libver_bounds(access, H5F_LIBVER_LATEST, H5F_LIBVER_LATEST);
    H5Pset_file_locking(access, 0, 1);
    H5Pset_fclose_degree(access, H5F_CLOSE_STRONG);
  }
  return access;
}

hid_t gd_h5_timeless(hid_t class)
{
  hid_t list = H5Pcreate(class);
  if (list >= 0)
    H5Pset_obj_track_times(list, 0);
  return list;
}

hid_t gd_h5_file_type(gd_dtype dtype)
{
  switch (dtype) {
  case GD_F32:
    return H5T_IEEE_F32LE;
  case GD_F64:
    return H5T_IEEE_F64LE;
  case GD_U8:
    return H5T_STD_U8LE;
  case GD_I32:
    return H5T_STD_I32LE;
  case GD_I64:
    return H5T_STD_I64LE;
  case GD_TEXT:
    break;
  }
  return H5T_C_S1;
}

hid_t gd_h5_type(gd_dtype dtype, size_t text_bytes)
{
  hid_t type = H5Tcopy(gd_h5_file_type(dtype));
  if (type >= 0 && dtype == GD_TEXT &&
      (H5Tset_size(type, text_bytes) < 0 ||
       H5Tset_strpad(type, H5T_STR_NULLPAD) < 0 ||
       H5Tset_cset(type, H5T_CSET_UTF8) < 0)) {
    H5Tclose(type);
    return H5I_INVALID_HID;
  }
  return type;
}

hid_t gd_h5_select(hid_t dataset, const gd_dataset *d, int64_t first, int64_t n,
                   hid_t *memory)
{
  hsize_t start[GD_STORE_MAX_RANK] = {0}, count[GD_STORE_MAX_RANK];
  for (int i = 0; i < d->rank; i++)
    count[i] = (hsize_t)d->dims[i];
  start[0] = (hsize_t)first;
  count[0] = (hsize_t)n;
  hid_t window = H5Dget_space(dataset);
  *memory = H5Screate_simple(d->rank, count, NULL);
  if (window >= 0 && H5Sselect_hyperslab(window, H5S_SELECT_SET, start, NULL,
                                         count, NULL) < 0) {
    H5Sclose(window);
    window = H5I_INVALID_HID;
  }
  return window;
}
