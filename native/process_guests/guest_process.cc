#include "guest_process.h"

#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <time.h>

#include <algorithm>
#include <array>
#include <cstring>
#include <vector>

#include "../../images/abi/hatchery.h"
#include "../machine/clock.h"

namespace hatchery {
namespace {

/* A launcher has so long to become a guest, and a guest at its snapshot to fork. */
constexpr int kPatienceMilliseconds = 5000;
/* How long the reason of an end may take that the socket has told of. */
constexpr int kEndingMilliseconds = 1000;
/* How long the spawner may take to answer; it is never kept waiting itself. */
constexpr int kAnswerMilliseconds = 100;
constexpr int64_t kSecond = 1'000'000'000;

Result<Descriptor> create_channel() {
    Descriptor file(attempt("memfd_create", [] {
        return memfd_create("hatchery-channel", MFD_CLOEXEC | MFD_ALLOW_SEALING);
    }));
    if (!file.valid()) {
        return Failure::from_errno("memfd_create");
    }
    if (attempt("ftruncate", [&] { return ftruncate(file.get(), HATCHERY_CHANNEL_BYTES); }) < 0) {
        return Failure::from_errno("ftruncate");
    }
    /* So that nothing that the guest does can make an access of the host's fault. */
    constexpr int kSeals = F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_SEAL;
    constexpr const char* kAddSeals = "fcntl(F_ADD_SEALS)";
    if (attempt(kAddSeals, [&] { return fcntl(file.get(), F_ADD_SEALS, kSeals); }) < 0) {
        return Failure::from_errno(kAddSeals);
    }
    return file;
}

std::string signal_name(int signal) {
    const char* name = sigabbrev_np(signal);
    return name == nullptr ? "signal " + std::to_string(signal) : std::string("SIG") + name;
}

}  // namespace

Result<std::unique_ptr<GuestProcess>> GuestProcess::ask(std::shared_ptr<const Spawner> spawner,
                                                        const struct spawn_request& request,
                                                        std::span<const int> files) {
    auto session = SocketPair::create();
    if (!session.ok()) {
        return session.failure();
    }
    auto socket = SocketPair::create();
    if (!socket.ok()) {
        return socket.failure();
    }
    auto channel = create_channel();
    if (!channel.ok()) {
        return channel.failure();
    }
    std::vector<int> given = {session.value().other.get(), socket.value().other.get(),
                              channel.value().get()};
    given.insert(given.end(), files.begin(), files.end());
    if (Status failed = spawner->send(request, given)) {
        return *failed;
    }
    std::unique_ptr<GuestProcess> guest(new GuestProcess());
    guest->spawner_ = std::move(spawner);
    guest->session_ = std::move(session.value().own);
    guest->socket_ = std::move(socket.value().own);
    /* The spawner's own are all that is left of these, so that it learns when the guest has gone. */
    session.value().other = Descriptor();
    socket.value().other = Descriptor();
    /* While the spawner works, and the guest is made, there is time for this. */
    if (Status failed = guest->prepare(channel.value())) {
        return *failed;
    }
    if (Status failed = guest->await_made()) {
        return *failed;
    }
    return guest;
}

Status GuestProcess::prepare(const Descriptor& channel) {
    const int on = 1;
    if (attempt("setsockopt(SO_PASSCRED)", [&] {
            return setsockopt(session_.get(), SOL_SOCKET, SO_PASSCRED, &on, sizeof on);
        }) < 0) {
        return Failure::from_errno("setsockopt(SO_PASSCRED)");
    }
    auto mapping =
        Mapping::map(HATCHERY_CHANNEL_BYTES, PROT_READ | PROT_WRITE, MAP_SHARED, channel.get());
    if (!mapping.ok()) {
        return mapping.failure();
    }
    channel_ = std::move(mapping.value());
    /* The pages that every request and every answer need. */
    for (const size_t offset : {size_t{0}, size_t{HATCHERY_RESPONSE_OFFSET}}) {
        *static_cast<volatile uint8_t*>(channel_.bytes() + offset) = 0;
    }
    return kSuccess;
}

Result<std::unique_ptr<GuestProcess>> GuestProcess::boot(std::shared_ptr<const Spawner> spawner,
                                                         std::span<const int> files) {
    return ask(std::move(spawner), {SPAWN_BOOT, 0, 0}, files);
}

Result<std::unique_ptr<GuestProcess>> GuestProcess::capture() const {
    const Turn::Held held(turn_);
    const int own_socket[] = {socket_.get()};
    auto guest = ask(spawner_, {SPAWN_CAPTURE, 0, id_}, own_socket);
    if (guest.ok()) {
        if (Status failed = guest.value()->command(COMMAND_ZYGOTE)) {
            return *failed;
        }
    }
    return guest;
}

Result<std::unique_ptr<GuestProcess>> GuestProcess::fork() const {
    const Turn::Held held(turn_); /* forking is work of its own */
    return ask(spawner_, {SPAWN_CLONE, 0, id_}, {});
}

GuestProcess::~GuestProcess() {
    end();
}

void GuestProcess::end() {
    IdleWatch::instance().remove(this);
    if (process_ > 0 && !end_ && shutdown(session_.get(), SHUT_WR) == 0) {
        /* Its end, or the spawner's, which is one for it, too. */
        (void)await_end();
    }
    process_ = 0;
}

Result<struct session_message> GuestProcess::await_end() {
    while (!end_) {
        auto word = await(kEndingMilliseconds, nullptr);
        if (!word.ok()) {
            return word;
        }
        /* Else it is an answer that nobody waits for any more. */
        if (word.value().kind == SESSION_ENDED || word.value().kind == SESSION_FORKED) {
            end_ = word.value();
        }
    }
    return *end_;
}

Result<std::optional<struct session_message>> GuestProcess::use_now() {
    if (!asks_ || end_) {
        return std::optional<struct session_message>();
    }
    const struct session_question question = {process_};
    const ssize_t sent = attempt("send(spawner)", [&] {
        return send(session_.get(), &question, sizeof question, MSG_NOSIGNAL | MSG_DONTWAIT);
    });
    if (sent < 0) {
        return Failure::from_errno("send(spawner)");
    }
    auto word = await(kAnswerMilliseconds, nullptr);
    if (!word.ok()) {
        asks_ = false; /* what comes later would be taken for the next answer */
        return word.failure();
    }
    const struct session_message& said = word.value();
    if (said.kind == SESSION_ENDED || said.kind == SESSION_FORKED) {
        end_ = said;
    }
    return said.kind == SESSION_USE ? std::optional(said) : std::nullopt;
}

Status GuestProcess::resume() const {
    turn_.begin();
    Status failed = command(COMMAND_RUN);
    if (failed) {
        turn_.end();
    }
    return failed;
}

void GuestProcess::end_for_computing() {
    computed_.store(true, std::memory_order_release);
    (void)shutdown(session_.get(), SHUT_WR);
}

Status GuestProcess::command(char command) const {
    const ssize_t sent = attempt("send(guest)", [&] {
        return send(socket_.get(), &command, sizeof command, MSG_NOSIGNAL | MSG_DONTWAIT);
    });
    return sent == sizeof command ? kSuccess : Status(Failure::from_errno("send(guest)"));
}

Result<struct session_message> GuestProcess::await(int milliseconds, pid_t* process) const {
    struct pollfd wait = {session_.get(), POLLIN, 0};
    const int ready = attempt("poll", [&] { return poll(&wait, 1, milliseconds); });
    if (ready <= 0) {
        return ready < 0 ? Failure::from_errno("poll") : Failure{"the spawner's answer", ETIMEDOUT};
    }
    struct session_message message = {};
    struct iovec vector = {&message, sizeof message};
    alignas(struct cmsghdr) std::array<char, CMSG_SPACE(sizeof(struct ucred))> control = {};
    struct msghdr header = {};
    header.msg_iov = &vector;
    header.msg_iovlen = 1;
    header.msg_control = control.data();
    header.msg_controllen = control.size();
    const ssize_t got = attempt(
        "recvmsg", [&] { return recvmsg(session_.get(), &header, MSG_DONTWAIT | MSG_CMSG_CLOEXEC); });
    if (got != static_cast<ssize_t>(sizeof message)) {
        /* The spawner never closes a session before it is closed here. */
        return got < 0 && errno != ECONNRESET ? Failure::from_errno("recvmsg") : Spawner::kGone;
    }
    const struct cmsghdr* first = CMSG_FIRSTHDR(&header);
    if (process != nullptr && first != nullptr && first->cmsg_type == SCM_CREDENTIALS) {
        struct ucred credentials;
        std::memcpy(&credentials, CMSG_DATA(first), sizeof credentials);
        *process = credentials.pid;
    }
    return message;
}

Status GuestProcess::await_made() {
    constexpr const char* kMaking = "making a guest's process";
    auto word = await(kPatienceMilliseconds, &process_);
    if (!word.ok()) {
        /* Where it had no room even for the session, the kernel closed that. */
        const bool refused = word.failure().call == Spawner::kGone.call && spawner_->lives();
        return refused ? Failure{kMaking, EMFILE} : word.failure();
    }
    if (word.value().kind != SESSION_MADE) {
        return Failure{kMaking,
                       word.value().kind == SESSION_FAILED ? word.value().value : ECHILD};
    }
    id_ = word.value().id;
    return IdleWatch::instance().add(this);
}

Result<GuestNews> GuestProcess::listen(int64_t deadline) const {
    for (;;) {
        const int64_t left = std::max<int64_t>(0, deadline - monotonic_now());
        const struct timespec patience = {left / kSecond, left % kSecond};
        struct pollfd wait = {socket_.get(), POLLIN, 0};
        const int ready = attempt_once("ppoll", [&] { return ppoll(&wait, 1, &patience, nullptr); });
        if (ready == 0) {
            return GuestNews{};
        }
        if (ready < 0) {
            if (errno == EINTR) {
                continue;
            }
            return Failure::from_errno("ppoll");
        }
        GuestNews news;
        const ssize_t got = attempt("recv(guest)", [&] {
            return recv(socket_.get(), &news.message, sizeof news.message, MSG_DONTWAIT | MSG_TRUNC);
        });
        if (got == static_cast<ssize_t>(sizeof news.message)) {
            news.kind = GuestNews::Kind::kMessage;
            turn_.end();
        } else if (got > 0) {
            news.kind = GuestNews::Kind::kNonsense;
        } else if (got == 0 && (wait.revents & POLLHUP) == 0) {
            news.kind = GuestNews::Kind::kNonsense; /* an empty message */
        } else if (got == 0 || errno == ECONNRESET) {
            news.kind = GuestNews::Kind::kEnded;
        } else {
            return Failure::from_errno("recv(guest)");
        }
        return news;
    }
}

Result<std::string> GuestProcess::ending() {
    auto word = await_end();
    if (computed_.load(std::memory_order_acquire)) {
        return std::string("it computed while it was not run: the process was killed");
    }
    if (!word.ok()) {
        if (word.failure().call == Spawner::kGone.call) {
            return word.failure();
        }
        return std::string("the process ended");
    }
    const int status = word.value().value;
    if (word.value().kind == SESSION_FORKED) {
        return std::string("a fork or a mapping that nobody had granted: the process was killed");
    }
    if (WIFSIGNALED(status)) {
        const int signal = WTERMSIG(status);
        return signal == SIGSYS ? std::string("a forbidden system call: the process was killed")
                                : "the process was killed by " + signal_name(signal);
    }
    return "the process ended with status " + std::to_string(WEXITSTATUS(status));
}

int64_t GuestProcess::cpu_now() const {
    /* The kernel's number of a process's clock (include/linux/posix-timers.h): CPUCLOCK_SCHED. */
    const auto clock = static_cast<clockid_t>((~static_cast<unsigned>(process_) << 3) | 2u);
    struct timespec used = {};
    if (process_ <= 0 || clock_gettime(clock, &used) < 0) {
        return 0;
    }
    return used.tv_sec * kSecond + used.tv_nsec;
}

}  // namespace hatchery
