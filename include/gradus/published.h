/**
 * Published results on the AVEC corpora, to set a job's own beside.
 *
 * They are what the authors printed for the licensed videos, by whatever
 * protocol and preprocessing they used: marked as published wherever shown.
 *
 * Source: the comparison tables of de Melo, Granger, Hadid, "Depression
 * detection based on deep distribution learning", ICIP 2019, and the papers
 * that these name.
 */
#ifndef GRADUS_PUBLISHED_H
#define GRADUS_PUBLISHED_H

typedef struct {
  const char *method;
  double rmse, mae; /**< levels */
} gd_published;

/**
 * Return the published rows that go with a layout, or NULL.
 * @param[in]  layout  "avec2013", "avec2014"
 * @param[out] n       how many; 0 for any other layout
 */
const gd_published *gd_published_of(const char *layout, int *n);

#endif
