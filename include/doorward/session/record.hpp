#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "doorward/base/time.hpp"
#include "doorward/redis/reply.hpp"
#include "doorward/session/field_layout.hpp"

namespace doorward::session {

/// What a lookup came to. All but the last are Redis's word on this session; `unavailable` is no word at all, and must
/// never be taken for one of them.
enum class outcome {
  found,
  absent,       ///< no such key
  ghost,        ///< a record without a user
  expired,      ///< its absolute limit has passed, and it was ended for that
  displaced,    ///< a later login of its user ended it
  revoked,      ///< its user ended it from elsewhere, or an operator
  wrong_type,   ///< the key is of another type than the encoding means
  malformed,    ///< not what the encoding means, or a field twice: never a partial identity
  unavailable,  ///< Redis did not answer, or not with an answer; see lookup::error()
};

/// The wanted fields of one session. Reusable: in steady state filling it again allocates nothing. Views into it hold
/// until it is filled or cleared again; `layout` must outlive it.
class record {
public:
  record() = default;
  explicit record(field_layout const& layout) { reset(layout); }

  /// Empties it and makes room for the fields of `layout`.
  void reset(field_layout const& layout);
  void clear() noexcept;

  [[nodiscard]] field_layout const* layout() const noexcept { return layout_; }
  [[nodiscard]] bool has(field_layout::slot s) const noexcept { return s < cells_.size() && cells_[s].present; }
  /// The field's text; empty when it is absent.
  [[nodiscard]] std::string_view get(field_layout::slot s) const noexcept;
  [[nodiscard]] std::string_view get(field f) const noexcept {
    return layout_ ? get(layout_->at(f)) : std::string_view{};
  }
  [[nodiscard]] std::string_view user() const noexcept { return get(field::user); }
  [[nodiscard]] std::string_view roles() const noexcept { return get(field::roles); }
  [[nodiscard]] std::size_t bytes() const noexcept { return arena_.size(); }  ///< of all fields together

  /// False when the slot is filled already.
  bool set(field_layout::slot s, std::string_view value);

private:
  struct cell {
    std::uint32_t offset = 0;
    std::uint32_t length = 0;
    bool present = false;
  };
  field_layout const* layout_ = nullptr;
  std::string arena_;
  std::vector<cell> cells_;
};

/// Reads a reply to HGETALL into `into`, which must have its layout. Anything but `found` leaves it empty.
[[nodiscard]] outcome decode(redis::reply const& reply, record& into);

/// What a record is whose fields have been read: `found`, or what one without a user is.
[[nodiscard]] outcome judge(record const& r) noexcept;

/// A time as sessions carry it: milliseconds since the epoch, or seconds when it is below 10^11. Nothing when `text` is
/// not a non-negative decimal number.
[[nodiscard]] std::optional<epoch_ms> parse_time(std::string_view text) noexcept;

}  // namespace doorward::session
