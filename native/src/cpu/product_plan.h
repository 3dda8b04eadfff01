#ifndef SFUMATO_CPU_PRODUCT_PLAN_H_
#define SFUMATO_CPU_PRODUCT_PLAN_H_

#include <algorithm>
#include <cstdint>

namespace sfumato::cpu {

/// Most columns of a task whose partial sums stay in scratch.
constexpr int64_t kMaxTileColumns = 512;

/// How a product's rows and panels are cut into tasks. It has no influence on the result.
struct ProductPlan {
  int64_t row_tiles;
  int64_t panel_groups;

  int64_t tasks() const { return row_tiles * panel_groups; }
};

/// Few tasks with much reuse, but enough that all threads have the same share.
inline ProductPlan PlanProduct(int64_t rows, int64_t panels, int64_t row_tile, int threads) {
  ProductPlan plan{(rows + row_tile - 1) / row_tile, 1};
  if (threads == 1) return plan;
  if (plan.row_tiles < 4 * threads && plan.row_tiles % threads != 0) {
    plan.row_tiles = std::min<int64_t>(rows, (plan.row_tiles + threads - 1) / threads * threads);
    // Short tiles reuse a panel too little: divide the panels instead.
    if (rows < plan.row_tiles * 32) plan = {(rows + row_tile - 1) / row_tile, std::min<int64_t>(panels, threads)};
  }
  return plan;
}

}  // namespace sfumato::cpu

#endif  // SFUMATO_CPU_PRODUCT_PLAN_H_
