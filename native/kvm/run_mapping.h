/* A vCPU's struct kvm_run in this process's memory: mapped while it is used, and some time longer. */
#ifndef HATCHERY_KVM_RUN_MAPPING_H
#define HATCHERY_KVM_RUN_MAPPING_H

#include <linux/kvm.h>

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <utility>

#include "../machine/descriptor.h"
#include "../machine/result.h"

namespace hatchery {

/*
 * Each mapping of a process makes KVM_CREATE_VM slower: it registers an MMU notifier, for which the
 * kernel takes the locks of all of them (mm_take_all_locks). So a machine that stands still does not
 * keep this one. The structure itself is the kernel's and lives as long as the vCPU: what is in it
 * stays while it is not mapped.
 *
 * For the thread that its machine belongs to at the time; `unmap_idle` is for any thread.
 */
class RunMapping {
  public:
    /* What a process may have mapped before it unmaps those that were used least lately... */
    static constexpr size_t kMost = 256;
    /* ...and how many it keeps then. Many at once, because each munmap calls the MMU notifier of
     * every machine. */
    static constexpr size_t kKept = 128;

    /* While it lives, the structure stays mapped. It does not outlive its RunMapping. */
    class Use {
      public:
        Use(Use&& other) noexcept : owner_(std::exchange(other.owner_, nullptr)) {}
        Use(const Use&) = delete;
        Use& operator=(const Use&) = delete;
        Use& operator=(Use&&) = delete;
        ~Use();

        struct kvm_run* operator->() const { return &**this; }
        struct kvm_run& operator*() const {
            return *reinterpret_cast<struct kvm_run*>(owner_->mapping_.bytes());
        }

      private:
        friend class RunMapping;
        explicit Use(RunMapping* owner) : owner_(owner) {}
        RunMapping* owner_;
    };

    RunMapping() = default;
    RunMapping(const RunMapping&) = delete;
    RunMapping& operator=(const RunMapping&) = delete;
    /* Not while it is used. */
    ~RunMapping();

    /*
     * One at a time. Makes a system call only where it is not mapped: `vcpu` and `bytes` are what to
     * map then.
     */
    Result<Use> use(int vcpu, size_t bytes);

    /*
     * To be called before a virtual machine is created, which is when mappings cost: where there are
     * more than kMost, unmaps those that were used least lately and are not used now. A machine that
     * is run again after that maps its own anew; machines that are only run never make others do so.
     */
    static void unmap_idle();

  private:
    enum class State : uint8_t { kUnmapped, kIdle, kUsed };

    std::atomic<State> state_{State::kUnmapped};
    std::atomic<uint64_t> last_use_{0}; /* how many machines had been created then */
    /* Belongs to who took `state_` from kIdle; it comes and goes under the registry's lock. */
    Mapping mapping_;
    size_t place_ = 0; /* in the registry */

    struct Registry;
    static Registry& registry();
};

}  // namespace hatchery

#endif
