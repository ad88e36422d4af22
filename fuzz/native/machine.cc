/*
 * A hostile guest against everything that reads its memory and its exits: random stores, doorbells
 * and exits between random calls of a machine, some with system calls that fail.
 */
#include <cstring>

#include "../../native/kvm/kvm_machine.h"
#include "../../native/kvm/resume_stub.h"
#include "../../native/machine/clock.h"
#include "fake_kvm.h"

namespace hatchery::fuzz {
namespace {

constexpr uint64_t kChannel = kResumeBytes;
/* Of which the last third may be in a large page. */
constexpr uint64_t kMemoryBytes = 3 * kLargePageBytes;
constexpr int64_t kSliceNanoseconds = 200000;

std::shared_ptr<KvmSnapshot> cold_snapshot() {
    static const std::shared_ptr<KvmSnapshot> snapshot = [] {
        LoadPlan plan;
        plan.entry = 0x04000000;
        plan.memory.bytes = kMemoryBytes;
        plan.channel = kChannel;
        plan.memory.placements.push_back({.virtual_address = HATCHERY_HEAP_ADDRESS,
                                          .physical_address = kLargePageBytes,
                                          .pages = 2,
                                          .writable = true,
                                          .executable = false,
                                          .large = true});
        auto loaded = KvmSnapshot::load(device(), plan);
        expect(loaded.ok(), "the plan can be loaded");
        return loaded.value();
    }();
    return snapshot;
}

bool is_known(Exit exit) {
    const auto number = static_cast<uint32_t>(exit);
    return (number >= HATCHERY_READY && number <= HATCHERY_UNCONFIGURED) || exit == Exit::kProbe ||
           exit == Exit::kCrash || exit == Exit::kInterrupted;
}

/* As MachineObject::report: into buffers of just the size that the machine names. */
void read_windows(const KvmMachine& machine) {
    expect(machine.response_bytes() <= HATCHERY_RESPONSE_WINDOW_BYTES, "a response in its window");
    expect(machine.log_bytes() <= HATCHERY_LOG_WINDOW_BYTES, "logs in their window");
    std::vector<uint8_t> response(machine.response_bytes());
    std::vector<uint8_t> logs(machine.log_bytes());
    expect(machine.read_channel(HATCHERY_RESPONSE_OFFSET, response), "the response can be read");
    expect(machine.read_channel(HATCHERY_LOG_OFFSET, logs), "the logs can be read");
}

void read_anywhere(const KvmMachine& machine, FuzzedDataProvider& input) {
    const auto offset = input.ConsumeIntegral<size_t>();
    std::vector<uint8_t> bytes(input.ConsumeIntegralInRange<size_t>(0, 4096));
    const bool inside =
        offset <= HATCHERY_CHANNEL_BYTES && bytes.size() <= HATCHERY_CHANNEL_BYTES - offset;
    expect(machine.read_channel(offset, bytes) == inside, "reads stay in the channel");
}

bool same_memory(const KvmMachine& machine) {
    return std::memcmp(machine.memory(), machine.snapshot().memory(), kMemoryBytes) == 0;
}

/* Makes a call of the machine, which may put another in its place; or none, where it fails to. */
void act(std::unique_ptr<KvmMachine>& machine, FuzzedDataProvider& input) {
    switch (input.ConsumeIntegralInRange(0, 8)) {
        case 0:
            (void)machine->hand_over_boot();
            break;
        case 1: {
            const auto reason =
                static_cast<enum hatchery_resume>(input.ConsumeIntegralInRange<uint32_t>(
                    HATCHERY_RESUME_REQUEST, HATCHERY_RESUME_TIMER));
            const std::vector<uint8_t> bytes(
                input.ConsumeIntegralInRange<size_t>(0, HATCHERY_REQUEST_CAPACITY + 64), 's');
            const Status failed = machine->hand_over(reason, bytes);
            expect(bytes.size() <= HATCHERY_REQUEST_CAPACITY || failed, "no more than the window");
            break;
        }
        case 2:
        case 3:
        case 4: {
            auto exit = machine->run(monotonic_now() + kSliceNanoseconds);
            if (exit.ok()) {
                expect(is_known(exit.value()), "an exit of the ABI's");
                expect(exit.value() != Exit::kCrash || !machine->crash().reason.empty(),
                       "a crash has a reason");
                expect(exit.value() != Exit::kCrash || machine->response_bytes() == 0,
                       "nothing is taken of a crashed guest's response");
                read_windows(*machine);
            }
            break;
        }
        case 5:
            read_anywhere(*machine, input);
            break;
        case 6: {
            auto rewound = machine->rewind(input.ConsumeIntegralInRange<size_t>(0, 1000));
            expect(!rewound.ok() || !rewound.value() || same_memory(*machine),
                   "a rewound machine has the snapshot's memory");
            break;
        }
        case 7: {
            auto captured = machine->capture();
            if (captured.ok()) {
                const auto ready = std::static_pointer_cast<KvmSnapshot>(captured.value());
                expect(std::memcmp(machine->memory() + kResumeBytes, ready->memory() + kResumeBytes,
                                   kMemoryBytes - kResumeBytes) == 0,
                       "a snapshot has the machine's memory");
                if (input.ConsumeBool()) {
                    auto joined = machine->join_captured();
                    expect(!joined.ok() || !joined.value() || same_memory(*machine),
                           "a machine that has joined its snapshot has its memory");
                    break;
                }
                auto next = KvmMachine::create(ready, input.ConsumeBool());
                machine = next.ok() ? std::move(next.value()) : nullptr;
            }
            break;
        }
        default:
            machine->teach_snapshot();
            (void)machine->written_pages();
    }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* bytes, size_t size) {
    const auto snapshot = cold_snapshot();
    FuzzedDataProvider input(bytes, size);
    FakeGuest guest;
    guest.input = &input;
    guest.faults = input.ConsumeIntegralInRange(0, 3) == 0;
    guest.channel = kChannel;
    guest.doorbell = snapshot->doorbell();
    play(guest);
    auto machine = KvmMachine::create(snapshot, input.ConsumeBool());
    if (machine.ok()) {
        while (machine.value() && input.remaining_bytes() > 0) {
            act(machine.value(), input);
        }
    }
    play({});
    return 0;
}

}  // namespace hatchery::fuzz
