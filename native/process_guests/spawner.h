/* The program that makes and ends guests for this process (programs/spawner.c). */
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

/* One for the process; it and all its guests end when the last owner of this has gone. */
class Spawner {
  public:
    struct Programs {
        std::string spawner;
        std::string launcher;
    };

    /* The one that there is, or a new one. A process that may start no program must have one by then.
     */
    static Result<std::shared_ptr<const Spawner>> shared(const Programs& programs);

    Spawner(Descriptor socket, pid_t process) : socket_(std::move(socket)), process_(process) {}
    ~Spawner();
    Spawner(const Spawner&) = delete;
    Spawner& operator=(const Spawner&) = delete;

    /* Any thread. The descriptors stay the caller's. */
    Status send(const struct spawn_request& request, std::span<const int> descriptors) const;

  private:
    Descriptor socket_;
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
