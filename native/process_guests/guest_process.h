/* One guest: a process that nobody here trusts, its socket, its channel, and the spawner's word of it.
 */
#ifndef HATCHERY_PROCESS_GUESTS_GUEST_PROCESS_H
#define HATCHERY_PROCESS_GUESTS_GUEST_PROCESS_H

#include <atomic>
#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string>

#include "../machine/descriptor.h"
#include "../machine/memory_file.h"
#include "../machine/result.h"
#include "idle_watch.h"
#include "spawner.h"

namespace hatchery {

/* What a guest said, or that it ended. */
struct GuestNews {
    enum class Kind { kNothing, kMessage, kNonsense, kEnded };
    Kind kind = Kind::kNothing;
    struct guest_message message = {};
};

class GuestProcess {
  public:
    /* A launcher that waits to be run. `files`: plan, memory and, where there is one, shared memory.
     */
    static Result<std::unique_ptr<GuestProcess>> boot(std::shared_ptr<const Spawner> spawner,
                                                      std::span<const int> files);

    /* A zygote: forks this one, which stands at a hypercall. The zygote never runs; its forks do. */
    Result<std::unique_ptr<GuestProcess>> capture() const;

    /* Has this zygote forked: the same guest with a channel of its own. Any thread. */
    Result<std::unique_ptr<GuestProcess>> fork() const;

    /* Ends it. */
    ~GuestProcess();
    GuestProcess(const GuestProcess&) = delete;
    GuestProcess& operator=(const GuestProcess&) = delete;

    /* Lets it go on: its turn. Fails where it is gone, or does not read what it is told. */
    Status resume() const;

    /* Waits for it to say something, which ends its turn, until CLOCK_MONOTONIC passes `deadline`. */
    Result<GuestNews> listen(int64_t deadline) const;

    /* How it ended, in words; waits for a moment until that is known. Only after kEnded. Fails where
     * it was the spawner's end that ended it. */
    Result<std::string> ending();

    /* For the watch: ends it, since it has computed without a turn. Any thread, and never waits. */
    void end_for_computing();
    Turn& turn() const { return turn_; }

    /* Ends it, and waits until it has gone: a moment, whatever it does. What it used is known then, if
     * its end is. */
    void end();
    std::optional<struct session_message> use_at_end() const { return end_; }

    /* What it uses now: asks the spawner, which takes some ten microseconds. */
    Result<std::optional<struct session_message>> use_now();

    /* Nanoseconds of processor time, all of its life. */
    int64_t cpu_now() const;

    uint8_t* channel() const { return channel_.bytes(); }

  private:
    GuestProcess() = default;
    /* Asks the spawner for a guest, which gets these files besides its own socket and channel, and
     * waits until it is there. */
    static Result<std::unique_ptr<GuestProcess>> ask(std::shared_ptr<const Spawner> spawner,
                                                     const struct spawn_request& request,
                                                     std::span<const int> files);
    /* What the host needs of its side, made while the spawner works. */
    Status prepare(const Descriptor& channel);
    Status command(char command) const;
    /* The spawner's next word; ETIMEDOUT, kGone. */
    Result<struct session_message> await(int milliseconds, pid_t* process) const;
    Status await_made();
    /* Waits for a moment for the word that it has ended. */
    Result<struct session_message> await_end();

    std::shared_ptr<const Spawner> spawner_;
    Descriptor session_;
    Descriptor socket_;
    Mapping channel_;
    mutable Turn turn_;
    std::atomic<bool> computed_{false}; /* without a turn */
    std::optional<struct session_message> end_; /* ENDED or FORKED, once it was heard */
    bool asks_ = true; /* no answer of the spawner's to a question is outstanding */
    uint64_t id_ = 0;
    pid_t process_ = 0;
};

}  // namespace hatchery

#endif
