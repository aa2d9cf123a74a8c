/* A plugin of QEMU. Each time the instruction at=ADDRESS is executed it says how many were since the last time, how often
 * they read or wrote, and a hash of where each instruction is and where each access goes, in order: two equal ones
 * went the same way. */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* What qemu-plugin.h says, which Debian's packages do not have. */
struct qemu_plugin_tb;
struct qemu_plugin_insn;
typedef uint64_t qemu_plugin_id_t;
typedef uint32_t qemu_plugin_meminfo_t;
enum { NO_REGISTERS = 0, READS_AND_WRITES = 3 };
void qemu_plugin_register_vcpu_tb_trans_cb(qemu_plugin_id_t, void (*)(qemu_plugin_id_t, struct qemu_plugin_tb *));
size_t qemu_plugin_tb_n_insns(const struct qemu_plugin_tb *);
struct qemu_plugin_insn *qemu_plugin_tb_get_insn(const struct qemu_plugin_tb *, size_t);
uint64_t qemu_plugin_insn_vaddr(const struct qemu_plugin_insn *);
void qemu_plugin_register_vcpu_insn_exec_cb(struct qemu_plugin_insn *, void (*)(unsigned int, void *), int, void *);
void qemu_plugin_register_vcpu_mem_cb(struct qemu_plugin_insn *,
    void (*)(unsigned int, qemu_plugin_meminfo_t, uint64_t, void *), int, int, void *);

int qemu_plugin_version = PLUGIN_VERSION;

static uint64_t at, hash, instructions, accesses;

/* FNV-1a, a word at a time. */
static void add(uint64_t word)
{
    hash = (hash ^ word) * UINT64_C(0x100000001b3);
}

static void executed(unsigned int cpu, void *place)
{
    uint64_t address = (uintptr_t)place;
    (void)cpu;
    if (address == at) {
        printf("way instructions=%" PRIu64 " accesses=%" PRIu64 " hash=%" PRIu64 "\n", instructions, accesses, hash);
        fflush(stdout);
        instructions = accesses = 0;
        hash = UINT64_C(0xcbf29ce484222325);
    }
    instructions++;
    add(address);
}

static void accessed(unsigned int cpu, qemu_plugin_meminfo_t info, uint64_t address, void *unused)
{
    (void)cpu;
    (void)unused;
    accesses++;
    /* With its size, and whether it writes. */
    add(address << 32 | info);
}

static void translated(qemu_plugin_id_t id, struct qemu_plugin_tb *block)
{
    (void)id;
    for (size_t i = 0; i < qemu_plugin_tb_n_insns(block); i++) {
        struct qemu_plugin_insn *instruction = qemu_plugin_tb_get_insn(block, i);
        void *place = (void *)(uintptr_t)qemu_plugin_insn_vaddr(instruction);
        qemu_plugin_register_vcpu_insn_exec_cb(instruction, executed, NO_REGISTERS, place);
        qemu_plugin_register_vcpu_mem_cb(instruction, accessed, NO_REGISTERS, READS_AND_WRITES, NULL);
    }
}

int qemu_plugin_install(qemu_plugin_id_t id, const void *info, int count, char **arguments)
{
    (void)info;
    if (count != 1 || strncmp(arguments[0], "at=", 3) != 0)
        return -1;
    at = strtoull(arguments[0] + 3, NULL, 0);
    qemu_plugin_register_vcpu_tb_trans_cb(id, translated);
    return 0;
}
