#include "gradus/site.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "test.h"

static const char manifest[] =
    "job: s\n"
    "stages:\n"
    "  corpus: {stage: synth}\n"
    "  frames: {stage: extract, from: corpus}\n"
    "slurm:\n"
    "  defaults: {time: \"01:00:00\", partition: common}\n"
    "  frames: {nodes: 3, partition: ''}\n";

static void put(const char *path, const char *text)
{
  assert_ok(gd_file_write(path, text, strlen(text)));
}

static gd_job *load_job(void)
{
  const char *path = gd_test_path("s.yaml");
  gd_job *job;
  put(path, manifest);
  assert_ok(gd_job_load(path, NULL, 0, &job));
  return job;
}

/* No site file but those that a test makes. */
static int forget(void **state)
{
  (void)state;
  unsetenv("GRADUS_SITE");
  unsetenv("XDG_CONFIG_HOME");
  setenv("HOME", gd_test_path("home"), 1);
  return 0;
}

static void no_file_means_the_defaults(void **state)
{
  (void)state;
  gd_site *site;
  if (gd_path_exists("/etc/gradus/site.yaml"))
    gd_test_skip("a machine without /etc/gradus/site.yaml");
  assert_ok(gd_site_load(NULL, &site));
  assert_string_equal(gd_site_text(site, "launcher"), "srun");
  assert_int_equal(gd_site_int(site, "notice"), 120);
  gd_site_free(site);
}

static void resource_is_the_stages_then_the_jobs_then_the_sites(void **state)
{
  (void)state;
  gd_job *job = load_job();
  gd_site *site;
  const char *path = gd_test_path("order.yaml");
  put(path, "slurm: {nodes: 7, time: \"09:00:00\", account: ab1}\n");
  assert_ok(gd_site_load(path, &site));
  const gd_instance *corpus = gd_job_instance(job, 0);
  const gd_instance *frames = gd_job_instance(job, 1);
  assert_string_equal(gd_site_resource(site, frames, "nodes"), "3");
  assert_string_equal(gd_site_resource(site, corpus, "nodes"), "7");
  assert_string_equal(gd_site_resource(site, corpus, "partition"), "common");
  assert_string_equal(gd_site_resource(site, frames, "partition"), "");
  assert_string_equal(gd_site_resource(site, frames, "time"), "01:00:00");
  assert_string_equal(gd_site_resource(site, frames, "account"), "ab1");
  assert_string_equal(gd_site_resource(site, frames, "cpus-per-task"), "1");
  gd_site_free(site);
  gd_job_free(job);
}

static void named_file_comes_before_the_users(void **state)
{
  (void)state;
  gd_site *site;
  char other[GD_PATH_MAX];
  assert_ok(gd_directory_make(gd_test_path("home/.config/gradus")));
  put(gd_test_path("home/.config/gradus/site.yaml"), "mpi: of_user\n");
  assert_ok(gd_site_load(NULL, &site));
  assert_string_equal(gd_site_text(site, "mpi"), "of_user");
  gd_site_free(site);

  assert_ok(gd_path_join("", gd_test_path("variable.yaml"), other));
  put(other, "mpi: of_variable\n");
  setenv("GRADUS_SITE", other, 1);
  assert_ok(gd_site_load(NULL, &site));
  assert_string_equal(gd_site_text(site, "mpi"), "of_variable");
  gd_site_free(site);

  put(gd_test_path("option.yaml"), "mpi: of_option\n");
  assert_ok(gd_site_load(gd_test_path("option.yaml"), &site));
  assert_string_equal(gd_site_text(site, "mpi"), "of_option");
  gd_site_free(site);
  assert_ok(gd_file_remove(gd_test_path("home/.config/gradus/site.yaml")));
}

static void wrong_file_is_refused_with_its_place(void **state)
{
  (void)state;
  static const struct {
    const char *text, *reason;
  } cases[] = {
      {"lancher: srun\n", "did you mean 'launcher'?"},
      {"launcher: ssh\n", "'launcher' takes one of srun|mpirun"},
      {"slurm: {node: 3}\n", "did you mean 'nodes'?"},
      {"slurm: {partition: \"a\\nb\"}\n",
       "'partition' takes a text of one line"},
      {"[a]\n", "a site file takes a map"},
      {"slurm: 3\n", "'slurm' takes a map"},
  };
  gd_site *site;
  for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
    put(gd_test_path("wrong.yaml"), cases[i].text);
    assert_fails(gd_site_load(gd_test_path("wrong.yaml"), &site), GD_ERR_USAGE,
                 cases[i].reason);
    assert_null(site);
  }
  assert_fails(gd_site_load(gd_test_path("none.yaml"), &site), GD_ERR_USAGE,
               "no such site file");
  assert_fails(gd_site_load("/", &site), GD_ERR_USAGE, "/: is not");
  const char *wrong = gd_test_path("wrong.yaml");
  gd_test_forbid_files(1);
  const gd_status st = gd_site_load(wrong, &site);
  gd_test_forbid_files(0);
  assert_failed(st, GD_ERR_IO, "wrong.yaml: cannot read: ");
}

static void examples_are_site_files(void **state)
{
  (void)state;
  static const char *const names[] = {"modules", "apptainer", "chain"};
  for (size_t i = 0; i < sizeof names / sizeof names[0]; i++) {
    char path[GD_PATH_MAX];
    gd_site *site;
    snprintf(path, sizeof path, "%s/slurm/sites/%s.yaml",
             getenv("GRADUS_SOURCE"), names[i]);
    assert_ok(gd_site_load(path, &site));
    gd_site_free(site);
  }
}

static const struct CMUnitTest tests[] = {
    cmocka_unit_test_setup(no_file_means_the_defaults, forget),
    cmocka_unit_test_setup(resource_is_the_stages_then_the_jobs_then_the_sites,
                           forget),
    cmocka_unit_test_setup(named_file_comes_before_the_users, forget),
    cmocka_unit_test_setup(wrong_file_is_refused_with_its_place, forget),
    cmocka_unit_test(examples_are_site_files),
};

gd_test_main(tests)
