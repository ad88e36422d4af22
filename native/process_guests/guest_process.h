/* One guest: a process that nobody here trusts, its socket, its channel, and the spawner's word of it.
 */
#ifndef HATCHERY_PROCESS_GUESTS_GUEST_PROCESS_H
#define HATCHERY_PROCESS_GUESTS_GUEST_PROCESS_H

#include <cstdint>
#include <memory>
#include <mutex>
#include <optional>
#include <span>

#include "../machine/descriptor.h"
#include "../machine/memory_file.h"
#include "../machine/result.h"
#include "spawner.h"

namespace hatchery {

/* The processes that descend from one launcher: one of them is forked at a time. */
struct Family {
    std::mutex forking;
};

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

    /* Forks this one, which stands at a hypercall: the same guest with a channel of its own. Any
     * thread. */
    Result<std::unique_ptr<GuestProcess>> fork() const;

    /* Ends it, and waits until it has gone: a moment, whatever it does. */
    ~GuestProcess();
    GuestProcess(const GuestProcess&) = delete;
    GuestProcess& operator=(const GuestProcess&) = delete;

    /* Lets it go on. Fails where it is gone, or does not read what it is told. */
    Status resume() const { return command(COMMAND_RUN); }

    /* Waits for it to say something until CLOCK_MONOTONIC passes `deadline`. */
    Result<GuestNews> listen(int64_t deadline) const;

    /* How it ended, in words; waits for a moment until that is known. Only after kEnded. */
    std::string ending() const;

    /* Nanoseconds of processor time, all of its life. */
    int64_t cpu_now() const;

    uint8_t* channel() const { return channel_.bytes(); }

  private:
    GuestProcess() = default;
    static Result<std::unique_ptr<GuestProcess>> prepare(std::shared_ptr<const Spawner> spawner,
                                                         SocketPair& session, SocketPair& socket,
                                                         Descriptor& channel);
    Status command(char command) const;
    /* The spawner's next word; ETIMEDOUT. */
    Result<struct session_message> await(int milliseconds, pid_t* process) const;
    Status await_made();

    std::shared_ptr<const Spawner> spawner_;
    std::shared_ptr<Family> family_;
    Descriptor session_;
    Descriptor socket_;
    Mapping channel_;
    uint64_t id_ = 0;
    pid_t process_ = 0;
};

}  // namespace hatchery

#endif
