#include "spawner.h"

#include <fcntl.h>
#include <poll.h>
#include <spawn.h>
#include <sys/socket.h>
#include <sys/wait.h>

#include <array>
#include <cstring>
#include <mutex>

namespace hatchery {
namespace {

constexpr int kStartMilliseconds = 5000;
constexpr const char* kDuplicate = "fcntl(F_DUPFD_CLOEXEC)";

Result<pid_t> start(const Spawner::Programs& programs, int socket, int lifeline) {
    posix_spawn_file_actions_t actions;
    posix_spawnattr_t attributes;
    posix_spawn_file_actions_init(&actions);
    posix_spawnattr_init(&attributes);
    posix_spawn_file_actions_adddup2(&actions, socket, SPAWNER_HOST);
    posix_spawn_file_actions_adddup2(&actions, lifeline, SPAWNER_LIFELINE);
    for (int stream = 0; stream < SPAWNER_HOST; stream++) {
        posix_spawn_file_actions_addopen(&actions, stream, "/dev/null", O_RDWR, 0);
    }
    posix_spawn_file_actions_addclosefrom_np(&actions, SPAWNER_LIFELINE + 1);
    sigset_t none;
    sigemptyset(&none);
    posix_spawnattr_setsigmask(&attributes, &none);
    posix_spawnattr_setflags(&attributes, POSIX_SPAWN_SETSID | POSIX_SPAWN_SETSIGMASK);
    std::string name = "hatchery-spawner";
    std::string launcher = programs.launcher;
    char* const words[] = {name.data(), launcher.data(), nullptr};
    char* const environment[] = {nullptr};
    pid_t process = 0;
    constexpr const char* kSpawn = "posix_spawn(spawner)";
    int error = fault_is_due(kSpawn) ? errno : 0;
    if (error == 0) {
        error = posix_spawn(&process, programs.spawner.c_str(), &actions, &attributes, words,
                            environment);
    }
    posix_spawnattr_destroy(&attributes);
    posix_spawn_file_actions_destroy(&actions);
    if (error != 0) {
        return Failure{kSpawn, error};
    }
    return process;
}

/* A pipe; the end for the spawner is not where it has its socket, which is put there first. */
Result<SocketPair> create_lifeline() {
    int ends[2];
    if (attempt("pipe2", [&] { return pipe2(ends, O_CLOEXEC); }) < 0) {
        return Failure::from_errno("pipe2");
    }
    SocketPair pair;
    pair.own = Descriptor(ends[0]);
    const Descriptor anywhere(ends[1]);
    pair.other = Descriptor(attempt(
        kDuplicate, [&] { return fcntl(anywhere.get(), F_DUPFD_CLOEXEC, SPAWNER_LIFELINE); }));
    if (!pair.other.valid()) {
        return Failure::from_errno(kDuplicate);
    }
    return pair;
}

}  // namespace

Result<SocketPair> SocketPair::create() {
    int ends[2];
    if (attempt("socketpair", [&] {
            return socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, ends);
        }) < 0) {
        return Failure::from_errno("socketpair");
    }
    SocketPair pair;
    pair.own = Descriptor(ends[0]);
    pair.other = Descriptor(ends[1]);
    return pair;
}

Result<std::shared_ptr<const Spawner>> Spawner::shared(const Programs& programs) {
    static std::mutex mutex;
    static std::weak_ptr<const Spawner> known;
    const std::lock_guard lock(mutex);
    if (auto spawner = known.lock(); spawner && spawner->lives()) {
        return spawner;
    }
    auto pair = SocketPair::create();
    if (!pair.ok()) {
        return pair.failure();
    }
    auto life = create_lifeline();
    if (!life.ok()) {
        return life.failure();
    }
    auto process = start(programs, pair.value().other.get(), life.value().other.get());
    if (!process.ok()) {
        return process.failure();
    }
    auto spawner = std::make_shared<const Spawner>(std::move(pair.value().own),
                                                   std::move(life.value().own), process.value());
    pair.value().other = Descriptor();
    life.value().other = Descriptor();
    struct pollfd wait = {spawner->socket_.get(), POLLIN, 0};
    char byte = 0;
    const int ready = attempt("poll", [&] { return poll(&wait, 1, kStartMilliseconds); });
    if (ready < 0) {
        return Failure::from_errno("poll");
    }
    if (ready == 0 || recv(spawner->socket_.get(), &byte, 1, MSG_DONTWAIT) != 1) {
        return Failure{"start of the spawner", ready == 0 ? ETIMEDOUT : ECHILD};
    }
    known = spawner;
    return spawner;
}

Spawner::~Spawner() {
    /* That it ends is what closing the socket means. */
    socket_ = Descriptor();
    int status = 0;
    (void)attempt("waitpid", [&] { return waitpid(process_, &status, 0); });
}

Status Spawner::send(const struct spawn_request& request, std::span<const int> descriptors) const {
    struct iovec vector = {const_cast<struct spawn_request*>(&request), sizeof request};
    alignas(struct cmsghdr) std::array<char, CMSG_SPACE(sizeof(int) * SPAWN_DESCRIPTORS)> control =
        {};
    struct msghdr header = {};
    header.msg_iov = &vector;
    header.msg_iovlen = 1;
    header.msg_control = control.data();
    header.msg_controllen = CMSG_SPACE(descriptors.size_bytes());
    struct cmsghdr* first = CMSG_FIRSTHDR(&header);
    first->cmsg_level = SOL_SOCKET;
    first->cmsg_type = SCM_RIGHTS;
    first->cmsg_len = CMSG_LEN(descriptors.size_bytes());
    std::memcpy(CMSG_DATA(first), descriptors.data(), descriptors.size_bytes());
    constexpr const char* kName = "sendmsg(spawner)";
    if (attempt(kName, [&] { return sendmsg(socket_.get(), &header, MSG_NOSIGNAL); }) < 0) {
        return errno == EPIPE || errno == ECONNRESET ? kGone : Failure::from_errno(kName);
    }
    return kSuccess;
}

bool Spawner::lives() const {
    struct pollfd wait = {lifeline_.get(), POLLIN, 0};
    return poll(&wait, 1, 0) == 0;
}

Result<Descriptor> Spawner::lifeline() const {
    Descriptor another(
        attempt(kDuplicate, [&] { return fcntl(lifeline_.get(), F_DUPFD_CLOEXEC, 0); }));
    if (!another.valid()) {
        return Failure::from_errno(kDuplicate);
    }
    return another;
}

}  // namespace hatchery
