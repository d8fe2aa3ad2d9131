// Shares of convolution outputs above biases; one block for each window and group of kernels.
//
// A group is a dilation and a channel subset; its items are a kernel and a few of its biases.
// The text is for NVRTC and hipRTC alike, and a C++ compiler takes it with tests/kernels/fused/
// shim.cpp. REAL (float, double), TAPS, TEAM and BIASES come from convolution.py beside it.
//
// Numbers are those of lumipipe.kernels.convolution bit by bit: the same additions in the same
// order. There is no multiplication that a compiler could contract with an addition, whatever its
// flags: three times s is s + s + s, and as s + s is exact, that rounds once. Counts are integers.
//
// TEAM threads share the samples of an item. They meet at barriers only, so that TEAM has nothing
// to do with warps of 32 or wavefronts of 64 threads; blockDim.x must be a multiple of it.

struct Group { int dilation, first_channel, channels, first_item, items; };
struct Item { int a, b, c, first_feature, biases, cut; };  // a, b, c: rows from tap 0 to a weight 2

static __device__ REAL sample(const REAL *series, int time, int length)
{
    return 0 <= time && time < length ? series[time] : (REAL)0;
}

// Sum of all shifts of a channel.
static __device__ REAL total(const REAL *series, int time, int dilation, int length)
{
    time -= TAPS / 2 * dilation;
    REAL sum = sample(series, time, length);
    for (int tap = 1; tap < TAPS; tap++)
        sum += sample(series, time + tap * dilation, length);
    return sum;
}

// Three times the sum of the channels, between zeros as far as the taps reach.
static __device__ void set_tripled(
    REAL *tripled, const REAL *window, const int *channels, const Group &group, int length)
{
    const int reach = TAPS / 2 * group.dilation;
    for (int row = threadIdx.x; row < length + 2 * reach; row += blockDim.x) {
        REAL sum = sample(window + channels[0] * length, row - reach, length);
        for (int i = 1; i < group.channels; i++)
            sum += sample(window + channels[i] * length, row - reach, length);
        tripled[row] = sum + sum + sum;
    }
}

// Minus the sum of all shifts of the channels.
static __device__ void set_base(
    REAL *base, const REAL *window, const int *channels, const Group &group, int length)
{
    for (int time = threadIdx.x; time < length; time += blockDim.x) {
        REAL sum = -total(window + channels[0] * length, time, group.dilation, length);
        for (int i = 1; i < group.channels; i++)
            sum -= total(window + channels[i] * length, time, group.dilation, length);
        base[time] = sum;
    }
}

// How many of this thread's outputs lie above each bias of an item.
static __device__ void set_counts(
    int *counts, const Item &item, const REAL *base, const REAL *tripled, const REAL *biases,
    int length)
{
    const int lane = threadIdx.x % TEAM;
    REAL bias[BIASES];
    int above[BIASES];
    for (int i = 0; i < BIASES; i++) {
        bias[i] = biases[item.first_feature + (i < item.biases ? i : 0)];  // the rest is not used
        above[i] = 0;
    }
    for (int time = item.cut + lane; time < length - item.cut; time += TEAM) {
        const REAL one = base[time] + tripled[time + item.a];
        const REAL two = one + tripled[time + item.b];
        const REAL output = two + tripled[time + item.c];
        for (int i = 0; i < BIASES; i++)
            above[i] += output > bias[i];
    }
    for (int i = 0; i < BIASES; i++)
        counts[i * (TEAM + 1) + lane] = above[i];  // + 1: columns are summed from other banks
}

static __device__ float share(const int *counts, int rows)
{
    int sum = 0;
    for (int lane = 0; lane < TEAM; lane++)
        sum += counts[lane];
    return (float)sum / (float)rows;
}

extern "C" __global__ void __launch_bounds__(256) proportion_positive(
    const REAL *x,        // (window, channel, time)
    const REAL *biases,   // (feature,)
    const Group *groups,  // (blockIdx.y,)
    const int *channels, const Item *items,
    float *shares,        // (window, feature)
    long long length, long long all_channels, long long features)
{
    extern __shared__ REAL shared[];
    const Group group = groups[blockIdx.y];
    const REAL *window = x + blockIdx.x * all_channels * length;
    REAL *tripled = shared;
    REAL *base = tripled + length + (TAPS - 1) * group.dilation;
    int *counts = (int *)(base + length);  // (team, bias, lane + 1)
    set_tripled(tripled, window, channels + group.first_channel, group, length);
    set_base(base, window, channels + group.first_channel, group, length);
    __syncthreads();

    const int teams = blockDim.x / TEAM, team = threadIdx.x / TEAM;
    const int slot = threadIdx.x / BIASES, bias = threadIdx.x % BIASES;
    for (int first = 0; first < group.items; first += teams) {
        const Item *round = items + group.first_item + first;
        const int filled = group.items - first < teams ? group.items - first : teams;
        if (team < filled)
            set_counts(counts + team * BIASES * (TEAM + 1), round[team], base, tripled, biases,
                       length);
        __syncthreads();
        if (slot < filled && bias < round[slot].biases)
            shares[blockIdx.x * features + round[slot].first_feature + bias] =
                share(counts + threadIdx.x * (TEAM + 1), length - 2 * round[slot].cut);
        __syncthreads();
    }
}
