#include <gradus/range.h>

int main(void)
{
  return gd_range_of(10, 1, 3).first == 4 ? 0 : 1;
}
