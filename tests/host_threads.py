"""The threads of a block of the grid on the host, as C++ text: each runs to the next barrier, then
the next one does, in ascending or descending order.

A barrier that is missing lets a thread run ahead of the others, so in one of the two orders it reads
what another one has not written yet, or overwrites what another one has not read. One thread of the
process may launch at a time.
"""

from __future__ import annotations

BARRIERS = """
#include <csetjmp>
#include <ucontext.h>
#define __shared__ static
#define __launch_bounds__(threads)
enum { MOST = 1024, STACK = 1 << 15 };
static jmp_buf scheduler, waiting[MOST];
static bool ended[MOST];
static void (*body)();
static inline void __syncthreads()
{
    if (!_setjmp(waiting[threadIdx.x]))
        _longjmp(scheduler, 1);
}
template <class number> static inline number atomicAdd(number *at, number x) { number before = *at; *at += x; return before; }
"""
"""In front of the kernels' text."""

TOGETHER = """
static void begin()
{
    body();
    ended[threadIdx.x] = true;
    _longjmp(scheduler, 1);
}

static void start(unsigned thread)
{
    static char stacks[MOST][STACK];
    ucontext_t context;
    getcontext(&context);
    context.uc_stack.ss_sp = stacks[thread];
    context.uc_stack.ss_size = STACK;
    context.uc_link = nullptr;
    makecontext(&context, begin, 0);
    setcontext(&context);
}

/* Run every thread to its next barrier, or to its end; the number of those that ended. */
static unsigned round_of(unsigned threads, bool descending, bool first)
{
    static unsigned k, over; /* not on the stack, which a jump leaves undefined */
    over = 0;
    for (k = 0; k < threads; k++) {
        threadIdx.x = descending ? threads - 1 - k : k;
        if (!_setjmp(scheduler)) {
            if (first)
                start(threadIdx.x);
            _longjmp(waiting[threadIdx.x], 1);
        }
        over += ended[threadIdx.x];
    }
    return over;
}

/* Run the threads of one block of the grid; false if some wait at a barrier that others never reach. */
static bool together(unsigned threads, bool descending)
{
    std::memset(ended, 0, sizeof ended);
    unsigned over = round_of(threads, descending, true);
    while (!over)
        over = round_of(threads, descending, false);
    return over == threads;
}

static const void *values;
static u64 count, *result;
"""
RUN = """
static void body_{name}() {{ measure_{name}((const {bits} *)values, count, result); }}
extern "C" int run_measure_{name}(unsigned blocks, unsigned threads, int descending, const void *x, u64 elements, u64 *out)
{{
    gridDim.x = blocks; blockDim.x = threads;
    values = x; count = elements; result = out; body = body_{name};
    for (blockIdx.x = 0; blockIdx.x < blocks; blockIdx.x++)
        if (!together(threads, descending))
            return 0;
    return 1;
}}
"""
MEASURED = {"float16": "u16", "bfloat16": "u16", "float32": "u32", "float64": "u64"}


def grids() -> str:
    """Return the functions that launch the kernels with barriers, behind the kernels' text."""
    return TOGETHER + "".join(RUN.format(name=name, bits=bits) for name, bits in MEASURED.items())
