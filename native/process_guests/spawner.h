/* The program that makes and ends guests for this process (programs/spawner). */
#ifndef HATCHERY_PROCESS_GUESTS_SPAWNER_H
#define HATCHERY_PROCESS_GUESTS_SPAWNER_H

#include <sys/types.h>

#include <memory>
#include <span>
#include <string>

#include "../machine/descriptor.h"
#include "../machine/result.h"
#include "programs/protocol.h"

namespace hatchery {

/*
 * One for the process; it and all its guests end when the last owner of this has gone. Somebody may
 * end it before: whoever waits for it then fails with kGone.
 */
class Spawner {
  public:
    struct Programs {
        std::string spawner;
        std::string launcher;
    };

    /* The one that lives, or a new one. A process that may start no program must have one by then.
     */
    static Result<std::shared_ptr<const Spawner>> shared(const Programs& programs);

    /* How what fails because the spawner has ended fails. */
    static constexpr Failure kGone = {"the spawner", ECHILD};

    Spawner(Descriptor socket, Descriptor lifeline, pid_t process)
        : socket_(std::move(socket)), lifeline_(std::move(lifeline)), process_(process) {}
    ~Spawner();
    Spawner(const Spawner&) = delete;
    Spawner& operator=(const Spawner&) = delete;

    /* Any thread. The descriptors stay the caller's. */
    Status send(const struct spawn_request& request, std::span<const int> descriptors) const;

    /* Whether it lives, as far as can be told. */
    bool lives() const;
    /* Another descriptor of the pipe on which nothing ever comes but the end of the file, with its
     * end: for an event loop to watch. */
    Result<Descriptor> lifeline() const;

  private:
    Descriptor socket_;
    Descriptor lifeline_;
    pid_t process_;
};

/* Two ends of a socket that keeps messages apart. */
struct SocketPair {
    Descriptor own;
    Descriptor other;

    static Result<SocketPair> create();
};

}  // namespace hatchery

#endif
