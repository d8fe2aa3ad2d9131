// Runs the blocks of a CUDA or HIP source on a CPU, one after the other, each of their threads as
// a fibre of its own: a thread runs until the next barrier, then the next one does.
//
// Define SOURCE (its path, in quotes) and KERNEL (its function). Odd rounds between barriers run
// the threads backwards, so that what lacks a barrier goes wrong in one of the two orders. Shared
// memory starts as NaN, and what is written behind its end is noticed.

#include <setjmp.h>
#include <string.h>
#include <ucontext.h>
#include <utility>

#define __global__
#define __device__
#define __shared__
#define __launch_bounds__(threads)

struct Index { unsigned x, y, z; };
static Index threadIdx, blockIdx, blockDim, gridDim;

static const unsigned MOST_THREADS = 256, STACK = 1 << 16, MOST_SHARED = 1 << 16, GUARD = 256;
extern "C" {
alignas(16) REAL shared[(MOST_SHARED + GUARD) / sizeof(REAL)];  // the name that sources give it
}

enum Outcome { RIGHT, DIVERGED, OVERRUN, TOO_LARGE };
enum State { NEW, AT_BARRIER, ENDED };
static struct { State state; ucontext_t start; jmp_buf barrier; } fibres[MOST_THREADS];
alignas(16) static char stacks[MOST_THREADS][STACK];
static jmp_buf scheduler;  // jumps cost nothing; swapcontext would ask the kernel each time

static void __syncthreads()
{
    const unsigned self = threadIdx.x;
    fibres[self].state = AT_BARRIER;
    if (!_setjmp(fibres[self].barrier))
        _longjmp(scheduler, 1);
}

#include SOURCE

static void **arguments;

template <class... Types, size_t... I>
static void call(void (*kernel)(Types...), std::index_sequence<I...>)
{
    kernel(*static_cast<Types *>(arguments[I])...);
}

template <class... Types>
static void call_with_arguments(void (*kernel)(Types...))
{
    call(kernel, std::index_sequence_for<Types...>());
}

static void run_thread()
{
    call_with_arguments(KERNEL);
    fibres[threadIdx.x].state = ENDED;
    _longjmp(scheduler, 1);
}

static void go_on(unsigned thread)
{
    threadIdx.x = thread;
    if (_setjmp(scheduler))
        return;
    if (fibres[thread].state == AT_BARRIER)
        _longjmp(fibres[thread].barrier, 1);
    ucontext_t &start = fibres[thread].start;
    getcontext(&start);
    start.uc_stack.ss_sp = stacks[thread];
    start.uc_stack.ss_size = STACK;
    makecontext(&start, run_thread, 0);
    setcontext(&start);
}

// All threads to the next barrier or to their end; whether all came to the same.
static bool run_round(bool backwards)
{
    for (unsigned i = 0; i < blockDim.x; i++)
        go_on(backwards ? blockDim.x - 1 - i : i);
    for (unsigned i = 1; i < blockDim.x; i++)
        if (fibres[i].state != fibres[0].state)
            return false;
    return true;
}

static Outcome run_block(unsigned shared_bytes)
{
    memset(shared, 0xFF, sizeof shared);  // of NaN, as floats
    for (unsigned i = 0; i < blockDim.x; i++)
        fibres[i].state = NEW;
    for (bool backwards = false; fibres[0].state != ENDED; backwards = !backwards)
        if (!run_round(backwards))
            return DIVERGED;
    const char *bytes = reinterpret_cast<const char *>(shared);
    for (unsigned i = shared_bytes; i < sizeof shared; i++)
        if (bytes[i] != '\xFF')
            return OVERRUN;
    return RIGHT;
}

// As cuLaunchKernel: pointers to the arguments.
extern "C" int launch(unsigned blocks_x, unsigned blocks_y, unsigned threads, unsigned shared_bytes,
                      void **pointers)
{
    if (threads > MOST_THREADS || shared_bytes > MOST_SHARED)
        return TOO_LARGE;
    arguments = pointers;
    gridDim = {blocks_x, blocks_y, 1};
    blockDim = {threads, 1, 1};
    for (blockIdx.y = 0; blockIdx.y < blocks_y; blockIdx.y++)
        for (blockIdx.x = 0; blockIdx.x < blocks_x; blockIdx.x++)
            if (const Outcome outcome = run_block(shared_bytes))
                return outcome;
    return RIGHT;
}
