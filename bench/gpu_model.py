"""What the compiler says of the CUDA kernels, and a step's time by their shapes; see bench/gpu_model."""
import collections
import math
import pathlib
import re
import subprocess
import sys
import tempfile

KINDS = ["rows", "products", "fp8_products", "dense", "attention", "candidates"]
# Of a multiprocessor: registers, bytes of shared memory, threads.
LIMITS = {"sm_80": (65536, 164 << 10, 2048), "sm_89": (65536, 100 << 10, 1536), "sm_90a": (65536, 228 << 10, 2048), "sm_100": (65536, 228 << 10, 2048), "sm_120": (65536, 100 << 10, 1536)}
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
# cuBLASLt: seen for BF16 products of 8192 x 8192 x 8192 on both cards; that these shapes reach it where tiles of 128 x 128 fill the
# multiprocessors, and their part of it where they don't, is an assumption; twice as much for E4M3 another. The floors of steps are taken from the same rates.
LIBRARY_RATE, LIBRARY_FP8_RATE = 790e12, 1580e12
EXPANSION_RATE = 64 * 132 * 1.7e9
# Instructions of a lane that convert E4M3 numbers to FP16 for a product of 16 x 8 x 32, where tensor cores lack one of E4M3 (sm_90a, sm_100): counted in
# the code of LargeProductKernel<8, Fp8PairWeights> for sm_90a, 344 for 64 products. They go where those go that expand weights.
CONVERSIONS = 344 / 64

# bytes: of a weight. expansion: whole-number instructions of a lane that expand eight of them (weights.h; MultiplyAddBfloat16 goes elsewhere); a multiprocessor
# does 64 of these at once, at 1.7 GHz. float8: inputs of dense products in E4M3. library: dense products through cuBLASLt.
Format = collections.namedtuple("Format", "bytes expansion float8 library", defaults=(False, False))
FORMATS = {
    "BF16": Format(2, 0), "BF16, cuBLASLt": Format(2, 0, library=True), "FP8": Format(1, 14), "FP8 inputs": Format(1, 14, float8=True),
    "FP8 inputs, cuBLASLt": Format(1, 14, float8=True, library=True), "4 bits": Format(4.5 / 8, 11)}


def kernels_of(root):
    """Threads and shared bytes of each kernel, by the compiler."""
    names = []
    for kind in KINDS:
        text = (root / f"native/src/cuda/launch_{kind}.cu").read_text()
        names += [(kind, name) for name in re.findall(r"SFUMATO_LAUNCH\((.*?)\)\n", text)]
    includes = "".join(
        f'#include "cuda/{header}.h"\n'
        for header in ["attention_kernel", "candidate_kernels", "dense_kernels", "product_kernel", "quantise_kernel", "router_kernels", "row_kernels", "soft_embedding_kernels"])
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
                            f"-I{root}/native/include", str(root / f"native/src/cuda/launch_{kind}.cu"), "-o", str(path)], check=True, stderr=subprocess.DEVNULL)
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
            if (architecture, name) not in found:  # sm_89 has code of its own for products of E4M3 inputs only
                cells.append("")
                continue
            registers, stack, spilled = found[architecture, name]
            limit_registers, limit_shared, limit_threads = LIMITS[architecture]
            warp_registers = math.ceil(registers * 32 / 256) * 256
            blocks = min(limit_registers // (warp_registers * threads // 32), limit_shared // (shared + 1024), limit_threads // threads, 32)
            cells.append(f"{registers} / {stack} / {spilled} / {blocks}")
            if spilled > 0:
                faults.append(f"{name}: {spilled} bytes spilled on {architecture} (expected: none)")
        products, copies, local = counts[name]
        print(f"| {name} | {threads} | {shared} | {products} / {copies} / {local} | " + " | ".join(cells) + " |")
        if re.search("Product|Attention|Mix", name) and "FinishProduct" not in name and products == 0:
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
        form = FORMATS["BF16" if exact else self.weights]
        width = outputs * (2 if gated else 1)
        weights = groups * width * inner * form.bytes
        results = rows * outputs * (2 if gated else 8 if adds else 4)
        self.need(weights, 2 * rows * width * inner)
        if groups == 1 and not exact and (form.float8 or form.library):
            return self.dense_product(part, form, rows, width, inner, weights, results, gated)
        mean = math.ceil(rows / groups)
        room = mean if groups == 1 else mean + int(2 * math.sqrt(mean))

        def blocks(tile, block):
            return groups * math.ceil(mean / tile) * math.ceil(width / block)

        if exact:
            block, tile = 64, 16 if room <= 16 or blocks(32, 64) <= 50 else 32
        elif room > 64 and blocks(128, 128) >= 100:
            block, tile = 128, 128
        elif room > 32 and blocks(64, 128) >= (50 if room > 64 else 100):
            block, tile = 128, 64
        elif room > 32:
            block, tile = 64, 64
        elif room > 8 and blocks(32, 128) >= 100:
            block, tile = 128, 32
        else:
            block, tile = 64, 16 if room <= 16 else 32
        large = block == 128 and tile >= 64
        # Of a tile's rows pieces of so many are skipped that a group doesn't have.
        piece = 32 if large else 8
        shares = rows_of_groups(rows, groups)
        tiles = sum(share * math.ceil(count / tile) for count, share in shares) * groups
        multiplied = sum(share * math.ceil(count / piece) for count, share in shares) * piece * groups
        read = 4 if exact else 2
        cache = tiles * width * inner * form.bytes + rows * inner * read * math.ceil(width / block)
        memory = weights + rows * inner * read + results
        name = f"LargeProductKernel<{tile // 8}>" if large else f"ProductKernel<{tile // 8}>, {block} outputs"
        self.add(part, name, memory, max(cache, memory), 2 * multiplied * width * inner * (3 if exact else 1), 1,
                 math.ceil(tiles * math.ceil(width / block)), tiles * width * inner * form.expansion / 8)

    def dense_product(self, part, form, rows, width, inner, weights, results, gated):
        """Inputs in E4M3 and products through cuBLASLt. E4M3: a pass that rounds, then own kernels, on these cards at the rate of BF16, or cuBLASLt; sums of
        its E4M3 products, and of gates, go through the work space."""
        if form.float8:
            self.add(part, "QuantiseRowsKernel", rows * inner * 3, rows * inner * 5, 0)
        inputs = rows * inner * (1 if form.float8 else 2)
        if not form.library:
            block, tile = (64, 16 if rows <= 16 else 32) if rows <= 32 else (128, 64)
            tiles = math.ceil(rows / tile)
            operations = 2 * tiles * tile * width * inner
            name = "LargeProductKernel<8> of pairs" if block == 128 else f"ProductKernel<{tile // 8}> of pairs"
            self.add(part, name, weights + inputs + results, tiles * weights + inputs * math.ceil(width / block), operations, 1,
                     tiles * math.ceil(width / block), operations / 8192 * CONVERSIONS * 32)
            return
        tiles = math.ceil(rows / 128)
        rate = LIBRARY_FP8_RATE if form.float8 else LIBRARY_RATE
        operations = 2 * tiles * 128 * width * inner * CARDS["H100"][1] / rate  # both cards have the rate of mma.sync
        through = gated or form.float8
        moved = weights + inputs + (rows * width * 4 if through else results)
        self.add(part, "cuBLASLt", moved, moved, operations, 1, tiles * math.ceil(width / 128))
        if through:
            self.add(part, "FinishProductKernel", results, rows * width * 4 + results, 0)

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
        return max(self.needed_bytes / CARDS[card][0], self.needed_operations / (LIBRARY_RATE if FORMATS[self.weights].bytes == 2 else LIBRARY_FP8_RATE))


def rows_of_groups(rows, groups):
    """(rows, how likely a group has so many): all of them for one group, else as if they were dealt out evenly at random."""
    if groups == 1:
        return [(rows, 1.0)]
    mean = rows / groups
    return [(count, math.exp(count * math.log(mean) - mean - math.lgamma(count + 1))) for count in range(1, int(mean) * 4 + 16)]


def candidates(step, rows, vocabulary, inner, soft):
    """Groups of 256 rows: a product like any other, whose floats are measured, and turned into weights and mixed by tiles of 128 rows
    and inner numbers and by runs of 32,768 tokens where soft embeddings are wanted. Weights of a head that these are mixed out of
    stay BF16, and none is in 4 bits."""
    head = Step("BF16" if soft or FORMATS[step.weights].bytes == 2 else "FP8")
    runs = math.ceil(vocabulary / 32768)
    for first in range(0, rows, 256):
        group = min(rows - first, 256)
        numbers = group * vocabulary * 4
        head.rows("vocabulary", "GatherCandidatesKernel", group, inner, 4)
        head.product("vocabulary", group, vocabulary, inner)
        head.add("vocabulary", "MeasureKernel", numbers, numbers, 0, 1, math.ceil(group / 64) * math.ceil(vocabulary / 1024))
        head.add("vocabulary", "FinishKernel", group * vocabulary / 64 * 8, group * vocabulary / 64 * 8, 0, 1, group)
        if not soft:
            continue
        head.add("soft embeddings", "WeighTokensKernel", numbers * 1.5, numbers * 1.5, 0, 1, group * runs)
        tile = 128 if group > 64 else 64
        tiles, blocks = math.ceil(group / tile), math.ceil(inner / 128)
        embeddings, sums = vocabulary * inner * 2, runs * group * inner * 4
        memory = embeddings + numbers / 2 + sums
        head.add("soft embeddings", f"MixEmbeddingsKernel<{tile // 8}>", memory, max(memory, tiles * embeddings + blocks * numbers / 2),
                 2 * tiles * min(tile, max(group, 8)) * vocabulary * inner, 1, tiles * blocks * runs)
        head.add("soft embeddings", "PlaceSoftEmbeddingKernel", sums, sums, 0, 1, group)
    step.parts.update(head.parts)
    step.need(vocabulary * inner * FORMATS[head.weights].bytes, 2 * rows * vocabulary * inner * (2 if soft else 1))


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


def print_library_products(title, shapes):
    print(f"{title}: microseconds on an H100 in BF16 by own kernels / through cuBLASLt\n")
    counts = [32, 256, 2048]
    print("| outputs x inner | " + " | ".join(f"{rows} rows" for rows in counts) + " |")
    print("|---|" + "---|" * len(counts))
    for outputs, inner, gated in shapes:
        cells = []
        for rows in counts:
            steps = [Step("BF16"), Step("BF16, cuBLASLt")]
            for step in steps:
                step.product("product", rows, outputs, inner, gated=gated)
            cells.append(" / ".join(f"{sum(step.part_bounds('H100', 'product').values()) * 1e6:.0f}" for step in steps))
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
    for weights in ("BF16", "FP8", "4 bits"):
        print_step("DiffusionGemma-26B-A4B, 256 rows, 4,096 tokens of context", diffusion_gemma(1, 256, 4096, weights))
    for weights in ("BF16", "FP8", "FP8 inputs, cuBLASLt"):
        print_step("LLaDA-8B, 256 rows", llada(1, 256, weights))
    print_library_products("LLaDA-8B's products", [(4096, 4096, False), (8192, 4096, False), (12288, 4096, True), (4096, 12288, False)])
    if faults:
        sys.exit("\n".join(faults))


main()
