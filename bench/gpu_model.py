"""What the compiler says of the CUDA kernels, and a step's time by their shapes; see bench/gpu_model."""
import collections
import math
import pathlib
import re
import subprocess
import sys
import tempfile

KINDS = ["rows", "products", "dense", "attention", "candidates"]
# Of a multiprocessor: registers, bytes of shared memory, threads.
LIMITS = {"sm_80": (65536, 164 << 10, 2048), "sm_90a": (65536, 228 << 10, 2048), "sm_100": (65536, 228 << 10, 2048), "sm_120": (65536, 100 << 10, 1536)}
# Copy rates seen on these cards; mma.sync reaches about 0.6 of what wgmma does on Hopper (790 TFLOP/s seen), an assumption; rate
# of the second-level cache, an assumption; time of a kernel's start and end in a stream without graphs, an assumption.
CARDS = {"H100": (3.0e12, 470e12), "H200": (4.3e12, 470e12)}
CACHE_RATE = 5.5e12
# What one multiprocessor draws of the cache at most, an assumption; they have so many.
MULTIPROCESSOR_RATE = 0.1e12
MULTIPROCESSORS = 132
LAUNCH = 2.0e-6
# A copy between the host's pinned memory and the card: its start, and its rate over PCIe 5, assumptions. Bytes that go up for each row and for each sequence
# (tokens, positions, rules; generously), and those that come back for each candidate (CandidateResult).
TRANSFER, TRANSFER_RATE = 10e-6, 25e9
UP_ROW, UP_SEQUENCE, DOWN_ROW = 64, 1024, 156
# What the floor of a step is taken from: products of 8192 x 8192 x 8192 in BF16 as they were seen on both cards; in FP8 twice as much, an assumption.
MATRIX_RATE = {"BF16": 790e12, "FP8": 1580e12, "4 bits": 790e12}
# cuBLASLt: seen for BF16 products of 8192 x 8192 x 8192 on both cards; that these shapes reach it where tiles of 128 x 128 fill the
# multiprocessors, and their part of it where they don't, is an assumption.
LIBRARY_RATE = 790e12
# Bytes of a weight, and whole-number instructions of a lane that expand eight of them (weights.h; MultiplyAddBfloat16 goes elsewhere). A multiprocessor
# does 64 of these at once, at 1.7 GHz.
FORMATS = {"BF16": (2, 0), "FP8": (1, 14), "4 bits": (4.5 / 8, 11)}
EXPANSION_RATE = 64 * 132 * 1.7e9


def kernels_of(root):
    """Threads and shared bytes of each kernel, by the compiler."""
    names = []
    for kind in KINDS:
        text = (root / f"native/src/cuda/launch_{kind}.cu").read_text()
        names += [(kind, name) for name in re.findall(r"SFUMATO_LAUNCH\((.*?)\)\n", text)]
    includes = "".join(
        f'#include "cuda/{header}.h"\n'
        for header in ["attention_kernel", "candidate_kernels", "dense_kernels", "product_kernel", "router_kernels", "row_kernels", "soft_embedding_kernels"])
    lines = "".join(
        f'  {{ using K = {name}; std::printf("%d %zu\\n", K::kThreads, sizeof(K::Shared)); }}\n' for _, name in names)
    source = f"#include <cstdio>\n{includes}using namespace sfumato::cuda;\nint main() {{\n{lines}}}\n"
    with tempfile.TemporaryDirectory() as folder:
        path = pathlib.Path(folder) / "sizes.cc"
        path.write_text(source)
        subprocess.run(["g++", "-std=c++20", "-O1", f"-I{root}/native/src", f"-I{root}/native/include", str(path), "-o", f"{folder}/sizes"], check=True)
        sizes = subprocess.run([f"{folder}/sizes"], check=True, capture_output=True, text=True).stdout.split("\n")
    return {name: tuple(map(int, line.split())) for (_, name), line in zip(names, sizes)}


def demangled(mangled):
    """The kernel's name as it stands in the sources."""
    text = subprocess.run(["c++filt", mangled], check=True, capture_output=True, text=True).stdout
    inside = re.search(r"RunKernel<(.*)>\(", text).group(1).replace("sfumato::cuda::", "").replace("> >", ">>").replace("unsigned short", "uint16_t").strip()
    return re.sub(r"\((?:int)\)", "", inside)


def compiled(build):
    """Registers, stack and spilled bytes by architecture and kernel."""
    found = {}
    for kind in KINDS:
        text = (build / f"cuda/launch_{kind}.o.ptxas").read_text()
        entries = re.findall(
            r"entry function '(\S+)' for '(\S+)'.*?(\d+) bytes stack frame, (\d+) bytes spill stores, (\d+) bytes spill loads.*?Used (\d+) registers",
            text, re.S)
        for mangled, architecture, stack, stores, loads, registers in entries:
            found[architecture, demangled(mangled)] = (int(registers), int(stack), int(stores) + int(loads))
    return found


def instructions(root):
    """By kernel, what stands in its PTX for sm_90a: tensor-core products, asynchronous copies, accesses to local memory."""
    found = {}
    with tempfile.TemporaryDirectory() as folder:
        for kind in KINDS:
            path = pathlib.Path(folder) / f"{kind}.ptx"
            subprocess.run(["nvcc", "-std=c++20", "-O3", "--expt-relaxed-constexpr", "-arch=compute_90a", "--ptx", f"-I{root}/native/src",
                            f"-I{root}/native/include", str(root / f"native/src/cuda/launch_{kind}.cu"), "-o", str(path)], check=True)
            for body in path.read_text().split(".entry ")[1:]:
                patterns = (r"\bmma\.sync", r"\bcp\.async\.c[ag]", r"\b(?:ld|st)\.local")
                found[demangled(body.split("(")[0].strip())] = tuple(len(re.findall(pattern, body)) for pattern in patterns)
    return found


def print_kernels(sizes, found, counts):
    """Returns what must not be: spills, and kernels of products without the instructions they are made for."""
    print("Kernels: products on tensor cores / asynchronous copies / accesses to local memory in the PTX for sm_90a, and by architecture registers / bytes of stack / bytes spilled / blocks of a multiprocessor\n")
    architectures = sorted({architecture for architecture, _ in found}, key=lambda a: int(re.sub(r"\D", "", a)))
    print("| kernel | threads | shared bytes | mma / cp.async / local | " + " | ".join(architectures) + " |")
    print("|---|---|---|---|" + "---|" * len(architectures))
    faults = []
    for name, (threads, shared) in sizes.items():
        cells = []
        for architecture in architectures:
            registers, stack, spilled = found[architecture, name]
            limit_registers, limit_shared, limit_threads = LIMITS[architecture]
            warp_registers = math.ceil(registers * 32 / 256) * 256
            blocks = min(limit_registers // (warp_registers * threads // 32), limit_shared // (shared + 1024), limit_threads // threads, 32)
            cells.append(f"{registers} / {stack} / {spilled} / {blocks}")
            if spilled > 0:
                faults.append(f"{name}: {spilled} bytes spilled on {architecture} (expected: none)")
        products, copies, local = counts[name]
        print(f"| {name} | {threads} | {shared} | {products} / {copies} / {local} | " + " | ".join(cells) + " |")
        if re.search("Product|Attention|Measure|Weigh|Mix", name) and "FinishProduct" not in name and products == 0:
            faults.append(f"{name}: no products on tensor cores (expected: some)")
    print()
    print(f"Bytes spilled by all kernels: {sum(spilled for _, _, spilled in found.values())}\n")
    return faults


Kernel = collections.namedtuple("Kernel", "name memory cache operations launches blocks expansion")


class Step:
    """Bytes, operations and blocks of the kernels of one step with rounded products, with 2 bytes for each number that these read.
    weights: their format, one of FORMATS."""

    def __init__(self, weights="BF16"):
        self.weights = weights
        self.parts = {}
        self.needed_bytes, self.needed_operations, self.sent = 0, 0, 0

    def add(self, part, name, memory, cache, operations, launches=1, blocks=MULTIPROCESSORS, expansion=0):
        """A kernel. expansion: instructions that expand weights."""
        self.parts.setdefault(part, []).append(Kernel(name, memory, cache, operations, launches, min(blocks, MULTIPROCESSORS), expansion))

    def need(self, memory, operations):
        """What no kernel could do without: weights and states once, products of rows that are there."""
        self.needed_bytes += memory
        self.needed_operations += operations

    def send(self, rows, sequences):
        """One copy to the card, one back."""
        self.sent = 2 * TRANSFER + (rows * (UP_ROW + DOWN_ROW) + sequences * UP_SEQUENCE) / TRANSFER_RATE

    def product(self, part, rows, outputs, inner, groups=1, gated=False, adds=False, exact=False):
        """The kernels that CudaBackend::LaunchProduct chooses: a block reads its outputs' weights for each tile of rows, and the
        tile's input for each block of outputs. Results of gates are read by products, others are floats. exact: a router's,
        of floats that are three terms."""
        width = outputs * (2 if gated else 1)
        mean = math.ceil(rows / groups)
        block, tile = 64, 16 if mean <= 16 else 32 if mean <= 32 or exact else 64
        if mean > 64 and not exact:
            block, tile = 128, 128 if groups * math.ceil(mean / 128) * math.ceil(width / 128) >= 100 else 64
        name = f"{'LargeProduct' if block == 128 else 'Product'}Kernel<{tile // 8}>"
        tiles = sum(share * math.ceil(count / tile) for count, share in rows_of_groups(rows, groups)) * groups
        read = 4 if exact else 2
        weight_bytes, instructions = FORMATS["BF16" if exact else self.weights]
        weights = groups * width * inner * weight_bytes
        cache = tiles * width * inner * weight_bytes + rows * inner * read * math.ceil(width / block)
        memory = weights + rows * inner * read + rows * outputs * (2 if gated else 8 if adds else 4)
        operations = 2 * tiles * min(tile, max(mean, 8)) * width * inner * (3 if exact else 1)
        self.add(part, name, memory, max(cache, memory), operations, 1, math.ceil(tiles * math.ceil(width / block)),
                 tiles * width * inner * instructions / 8)
        self.need(weights, 2 * rows * width * inner)

    def rows(self, part, name, rows, width, bytes_of_number):
        self.add(part, name, rows * width * bytes_of_number, rows * width * bytes_of_number, 0)

    def attention(self, sequences, rows, keys, heads, kv_heads, size):
        """Blocks of 64 rows (32 for heads over 256) read keys and values, of twice as many rows where that gives enough blocks of large heads. rows, keys: of
        a sequence."""
        tile, warps = 32 if size > 256 else 64, 4
        if size >= 256 and sequences * kv_heads * math.ceil(rows * heads / kv_heads / (2 * tile)) >= 100:
            tile, warps = 2 * tile, 8
        blocks = kv_heads * math.ceil(rows * heads / kv_heads / tile)
        memory = keys * kv_heads * size * 4 + rows * heads * size * 4
        self.add("attention", f"AttentionKernel<{size}> of {warps} warps", sequences * memory, sequences * blocks * keys * size * 4,
                 sequences * 4 * rows * heads * keys * size, 1, sequences * blocks)
        self.need(sequences * keys * kv_heads * size * 4, sequences * 4 * rows * heads * keys * size)

    def bounds(self, card, kernel):
        """Seconds of a kernel by what could bound it."""
        memory_rate, rate = CARDS[card]
        busy = kernel.blocks / MULTIPROCESSORS
        return {"memory": kernel.memory / memory_rate, "cache": kernel.cache / min(CACHE_RATE, kernel.blocks * MULTIPROCESSOR_RATE),
                "tensor cores": kernel.operations / rate / busy, "expansion": kernel.expansion / EXPANSION_RATE / busy}

    def part_bounds(self, card, part):
        """Seconds of a part's kernels by what bounds each, their launches beside that."""
        by = collections.Counter()
        for kernel in self.parts[part]:
            limits = self.bounds(card, kernel)
            most = max(limits, key=limits.get)
            by[most] += limits[most]
            by["launches"] += kernel.launches * LAUNCH
        return by

    def seconds(self, card):
        return {part: sum(self.part_bounds(card, part).values()) for part in self.parts} | {"transfers": self.sent}

    def total(self, card):
        return sum(self.seconds(card).values())

    def floor(self, card):
        return max(self.needed_bytes / CARDS[card][0], self.needed_operations / MATRIX_RATE[self.weights])


def rows_of_groups(rows, groups):
    """(rows, how likely a group has so many): all of them for one group, else as if they were dealt out evenly at random."""
    if groups == 1:
        return [(rows, 1.0)]
    mean = rows / groups
    return [(count, math.exp(count * math.log(mean) - mean - math.lgamma(count + 1))) for count in range(1, int(mean) * 4 + 16)]


def candidates(step, rows, vocabulary, inner, soft):
    """Weights of a head that soft embeddings are mixed out of stay BF16, and none is in 4 bits."""
    tiles = math.ceil(rows / 64)
    weight_bytes, instructions = FORMATS["BF16" if soft or step.weights == "BF16" else "FP8"]
    memory = vocabulary * inner * weight_bytes
    logits = (memory, tiles * (memory + 64 * inner * 2 * vocabulary / 64), 2 * tiles * 64 * vocabulary * inner)
    expansion = tiles * vocabulary * inner * instructions / 8
    step.add("vocabulary", "MeasureKernel<8>", *logits, expansion=expansion)
    step.add("vocabulary", "FinishKernel", rows * 64 * inner * 2, rows * 64 * inner * 2, 2 * rows * 8 * 64 * inner)
    step.need(memory, 2 * rows * vocabulary * inner)
    if soft:
        runs = math.ceil(vocabulary / 4096)
        step.rows("soft embeddings", "FillKernel", rows, inner, 4)
        step.add("soft embeddings", "WeighTokensKernel<8>", *logits, launches=runs)
        step.add("soft embeddings", "MixEmbeddingsKernel<8>", memory + rows * vocabulary * 8,
                 tiles * memory + rows * vocabulary * 4 * inner / 64, 2 * tiles * 64 * vocabulary * inner, runs)
        step.rows("soft embeddings", "PlaceSoftEmbeddingKernel", rows, inner, 8)
        step.need(0, 2 * rows * vocabulary * inner)


def llada(sequences, rows, weights="BF16"):
    """rows: of each sequence."""
    step = Step(weights)
    width, inner, layers = 4096, 12288, 32
    every = sequences * rows
    step.rows("norms, heads", "EmbedKernel", every, width, 6)
    for _ in range(layers):
        step.rows("norms, heads", "RmsNormKernel", every, width, 6)
        step.product("attention products", every, width, width)
        step.product("attention products", every, 2 * width, width)
        step.rows("norms, heads", "HeadsKernel", every, width, 6)
        step.rows("norms, heads", "HeadsKernel", every, 2 * width, 6)
        step.attention(sequences, rows, rows, 32, 32, 128)
        step.product("attention products", every, width, width, adds=True)
        step.rows("norms, heads", "RmsNormKernel", every, width, 6)
        step.product("feed-forward", every, inner, width, gated=True)
        step.product("feed-forward", every, width, inner, adds=True)
    step.rows("norms, heads", "RmsNormKernel", every, width, 6)
    candidates(step, every, 126464, width, False)
    step.send(every, sequences)
    return step


def diffusion_gemma(sequences, rows, context, weights="BF16"):
    """rows: of each sequence's canvas, which lies over so many tokens of context."""
    step = Step(weights)
    width = 2816
    every = sequences * rows
    step.rows("self-conditioning", "EmbedKernel", every, width, 6)
    step.rows("self-conditioning", "ScaleKernel", every, width, 8)
    step.rows("self-conditioning", "RmsNormKernel", every, width, 6)
    step.product("self-conditioning", every, 2112, width, gated=True)
    step.product("self-conditioning", every, width, 2112, adds=True)
    step.rows("self-conditioning", "RmsNormKernel", every, width, 8)
    step.rows("norms, heads", "RmsNormKernel", every, width, 6)
    for layer in range(30):
        full = layer % 6 == 5
        heads, kv_heads, size = (16, 2, 512) if full else (16, 8, 256)
        keys = context + rows if full else min(context, 1024) + rows
        step.product("attention products", every, heads * size, width)
        step.product("attention products", every, 2 * kv_heads * size, width)
        step.rows("norms, heads", "HeadsKernel", every, heads * size, 6)
        step.rows("norms, heads", "HeadsKernel", every, 2 * kv_heads * size, 6)
        step.attention(sequences, rows, keys, heads, kv_heads, size)
        step.product("attention products", every, width, heads * size)
        step.rows("norms, heads", "ResidualKernel", every, width, 4 + 8 + 2 + 4 + 2)  # a branch, the residual, three outputs
        step.product("dense feed-forward", every, 2112, width, gated=True)
        step.product("dense feed-forward", every, width, 2112)
        step.product("router", every, 128, width, exact=True)
        step.rows("router", "RouteKernel", every, 128, 8)
        step.rows("router", "PlaceKernel", every * 8, 1, 128 * 4)
        step.rows("router", "GatherKernel", every * 8, width, 4)
        step.product("experts", every * 8, 704, width, groups=128, gated=True)
        step.product("experts", every * 8, width, 704, groups=128)
        step.rows("router", "CombineKernel", every * 8, width, 4.5)
        step.rows("norms, heads", "ResidualKernel", every, width, 8 + 8 + 8 + 2)  # two branches, their sum, the residual, one output
    candidates(step, every, 262144, width, True)
    step.send(every, sequences)
    return step


def print_step(title, step):
    """Every kernel: its launches, what it moves and does, its time on both cards and what bounds that."""
    print(f"{title}, {step.weights}\n")
    print("| part | kernel | launches | GB from memory | GB from the cache | TFLOP | ms H100 | ms H200, bound by |")
    print("|---|---|---|---|---|---|---|---|")
    totals = [0.0] * 6
    for part, kernels in step.parts.items():
        for name in dict.fromkeys(kernel.name for kernel in kernels):
            same = [kernel for kernel in kernels if kernel.name == name]
            row = [sum(kernel.launches for kernel in same)]
            row += [sum(getattr(kernel, field) for kernel in same) / size for field, size in (("memory", 1e9), ("cache", 1e9), ("operations", 1e12))]
            by = collections.Counter()
            for card in CARDS:
                limits = [step.bounds(card, kernel) for kernel in same]
                row.append(1e3 * sum(max(limit.values()) + kernel.launches * LAUNCH for limit, kernel in zip(limits, same)))
            for limit, kernel in zip(limits, same):
                most = max(limit, key=limit.get)
                by[most] += limit[most]
                by["launches"] += kernel.launches * LAUNCH
            totals = [a + b for a, b in zip(totals, row)]
            print(f"| {part} | {name} | {row[0]} | {row[1]:.2f} | {row[2]:.2f} | {row[3]:.3f} | {row[4]:.2f} | {row[5]:.2f}, {max(by, key=by.get)} |")
    print(f"| transfers | | 2 | | | | {step.sent * 1e3:.2f} | {step.sent * 1e3:.2f} |")
    print(f"| together | | {totals[0]:.0f} | {totals[1]:.2f} | {totals[2]:.2f} | {totals[3]:.3f} | {step.total('H100') * 1e3:.2f} | {step.total('H200') * 1e3:.2f} |\n")


def print_batches(title, make):
    """make(sequences, format) -> Step."""
    print(f"{title}: ms of a step on the H100 / on the H200, the floor of each, and how many times the floor it takes\n")
    print("| sequences | " + " | ".join(FORMATS) + " |")
    print("|---|" + "---|" * len(FORMATS))
    for sequences in (1, 4, 16):
        cells = []
        for weights in FORMATS:
            step = make(sequences, weights)
            times, floors = [[1e3 * get(card) for card in CARDS] for get in (step.total, step.floor)]
            ratios = [time / floor for time, floor in zip(times, floors)]
            cells.append("; ".join(" / ".join(f"{value:.{digits}f}" for value in values) for values, digits in ((times, 1), (floors, 1), (ratios, 2))))
        print(f"| {sequences} | " + " | ".join(cells) + " |")
    print()


def library_product(card, rows, outputs, inner, gated):
    """Seconds of a product through cuBLASLt; gates go through the work space."""
    width = outputs * (2 if gated else 1)
    row_tiles = math.ceil(rows / 128)
    occupied = min(1, row_tiles * math.ceil(width / 128) / MULTIPROCESSORS)
    seconds = max(width * inner * 2 / CARDS[card][0], 2 * row_tiles * 128 * width * inner / (LIBRARY_RATE * occupied)) + LAUNCH
    return seconds + (rows * (2 * width * 4 + outputs * 2) / CACHE_RATE + LAUNCH if gated else 0)


def print_library_products(title, shapes):
    print(f"{title}: microseconds on an H100 by own kernels / through cuBLASLt, both assumptions\n")
    counts = [32, 256, 2048]
    print("| outputs x inner | " + " | ".join(f"{rows} rows" for rows in counts) + " |")
    print("|---|" + "---|" * len(counts))
    for outputs, inner, gated in shapes:
        cells = []
        for rows in counts:
            step = Step()
            step.product("product", rows, outputs, inner, gated=gated)
            own = sum(step.part_bounds("H100", "product").values())
            cells.append(f"{own * 1e6:.0f} / {library_product('H100', rows, outputs, inner, gated) * 1e6:.0f}")
        print(f"| {'2 x ' if gated else ''}{outputs} x {inner} | " + " | ".join(cells) + " |")
    print()


def print_formats(title, steps):
    """steps: by format."""
    print(f"{title}: ms of the H100 / of the H200 and what takes most of them on the H100, by format of the weights\n")
    print("| part | " + " | ".join(steps) + " |")
    print("|---|" + "---|" * len(steps))
    for part in next(iter(steps.values())).parts:
        cells = []
        for step in steps.values():
            by = step.part_bounds("H100", part)
            cells.append(" / ".join(f"{step.seconds(card)[part] * 1e3:.2f}" for card in CARDS) + f", {max(by, key=by.get)}")
        print(f"| {part} | " + " | ".join(cells) + " |")
    totals = [" / ".join(f"{step.total(card) * 1e3:.2f}" for card in CARDS) for step in steps.values()]
    print("| together, transfers too | " + " | ".join(totals) + " |\n")


def main():
    root, build = pathlib.Path(sys.argv[1]), pathlib.Path(sys.argv[2])
    faults = print_kernels(kernels_of(root), compiled(build), instructions(root))
    for sequences, rows in ((1, 256), (1, 32)):
        print_formats(f"LLaDA-8B, {rows} rows", {weights: llada(sequences, rows, weights) for weights in FORMATS})
    print_formats("DiffusionGemma-26B-A4B, 256 rows, 4,096 tokens of context", {weights: diffusion_gemma(1, 256, 4096, weights) for weights in FORMATS})
    print_batches("LLaDA-8B, 256 rows each", lambda sequences, weights: llada(sequences, 256, weights))
    print_batches("DiffusionGemma-26B-A4B, 256 rows over 4,096 tokens of context each", lambda sequences, weights: diffusion_gemma(sequences, 256, 4096, weights))
    for weights in FORMATS:
        print_step("DiffusionGemma-26B-A4B, 256 rows, 4,096 tokens of context", diffusion_gemma(1, 256, 4096, weights))
    print_step("LLaDA-8B, 256 rows", llada(1, 256))
    print_library_products("LLaDA-8B's products", [(4096, 4096, False), (8192, 4096, False), (12288, 4096, True), (4096, 12288, False)])
    if faults:
        sys.exit("\n".join(faults))


main()
