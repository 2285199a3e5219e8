# shellcheck shell=bash disable=SC2154,SC2034 # all are set above, in the script
# What every batch script of `gradus submit` begins with: the site's modules and
# its setup file.  They come before the script's own variables, which they could
# overwrite, and before `set -u`, which such files rarely bear.

# A signal that asks to stop may come before all else: unheard, it would end the
# job, and nothing would put it back.
gd_caught=
trap gd_caught=1 USR1 TERM

if [ "${#gd_modules[@]}" -gt 0 ] && ! module load "${gd_modules[@]}"; then
  echo "gradus: job ${SLURM_JOB_ID-none}: these modules cannot be loaded:" \
    "${gd_modules[*]}" >&2
  exit 2
fi
# shellcheck source=/dev/null
if [ -n "$gd_setup" ] && ! . "$gd_setup"; then
  echo "gradus: job ${SLURM_JOB_ID-none}: $gd_setup failed" >&2
  exit 2
fi
