/* Failures as values: nothing in this addon throws. */
#ifndef HATCHERY_MACHINE_RESULT_H
#define HATCHERY_MACHINE_RESULT_H

#include <cerrno>
#include <optional>
#include <utility>
#include <variant>

namespace hatchery {

/* A system call that failed: its name (a literal) and its errno. */
struct Failure {
    const char* call;
    int error;

    static Failure from_errno(const char* call) { return {call, errno}; }
};

/* Success, or the failure. */
using Status = std::optional<Failure>;
inline constexpr std::nullopt_t kSuccess = std::nullopt;

/* A value, or the failure that there is instead. */
template <typename Value>
class Result {
  public:
    Result(Value value) : content_(std::move(value)) {}
    Result(Failure failure) : content_(failure) {}

    bool ok() const { return std::holds_alternative<Value>(content_); }
    /* Precondition: ok(). */
    Value& value() { return *std::get_if<Value>(&content_); }
    /* Precondition: !ok(). */
    Failure failure() const { return *std::get_if<Failure>(&content_); }

  private:
    std::variant<Value, Failure> content_;
};

}  // namespace hatchery

#endif
