"""What ptxas says of the CUDA kernels, and a step's time by their shapes; see bench/gpu_model."""
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


def print_kernels(sizes, found):
    print("Kernels: registers / bytes spilled / blocks of a multiprocessor\n")
    architectures = sorted({architecture for architecture, _ in found}, key=lambda a: int(re.sub(r"\D", "", a)))
    print("| kernel | threads | shared bytes | " + " | ".join(architectures) + " |")
    print("|---|---|---|" + "---|" * len(architectures))
    for name, (threads, shared) in sizes.items():
        cells = []
        for architecture in architectures:
            registers, _, spilled = found[architecture, name]
            limit_registers, limit_shared, limit_threads = LIMITS[architecture]
            warp_registers = math.ceil(registers * 32 / 256) * 256
            blocks = min(limit_registers // (warp_registers * threads // 32), limit_shared // (shared + 1024), limit_threads // threads, 32)
            cells.append(f"{registers} / {spilled} / {blocks}")
        print(f"| {name} | {threads} | {shared} | " + " | ".join(cells) + " |")
    print()
    return sum(spilled for _, _, spilled in found.values())


class Step:
    """Bytes, operations and blocks of the kernels of one step with rounded products, with 2 bytes for each number that these read.
    weights: their format, one of FORMATS."""

    def __init__(self, weights="BF16"):
        self.weights = weights
        self.parts = {}

    def add(self, part, memory, cache, operations, launches=1, blocks=MULTIPROCESSORS, expansion=0):
        """expansion: instructions that expand weights."""
        total = self.parts.setdefault(part, [0, 0, 0, 0, []])
        for i, value in enumerate((memory, cache, operations, launches)):
            total[i] += value
        total[4].append((memory, cache, operations, launches, min(blocks, MULTIPROCESSORS), expansion))

    def product(self, part, rows, outputs, inner, groups=1, gated=False, adds=False, exact=False):
        """The kernels that CudaBackend::LaunchProduct chooses: a block reads its outputs' weights for each tile of rows, and the
        tile's input for each block of outputs. Results of gates are read by products, others are floats. exact: a router's,
        of floats that are three terms."""
        width = outputs * (2 if gated else 1)
        mean = math.ceil(rows / groups)
        block, tile = 64, 16 if mean <= 16 else 32 if mean <= 32 or exact else 64
        if mean > 64 and not exact:
            block, tile = 128, 128 if groups * math.ceil(mean / 128) * math.ceil(width / 128) >= 100 else 64
        tiles = sum(share * math.ceil(count / tile) for count, share in rows_of_groups(rows, groups)) * groups
        read = 4 if exact else 2
        weight_bytes, instructions = FORMATS["BF16" if exact else self.weights]
        weights = groups * width * inner * weight_bytes
        cache = tiles * width * inner * weight_bytes + rows * inner * read * math.ceil(width / block)
        memory = weights + rows * inner * read + rows * outputs * (2 if gated else 8 if adds else 4)
        operations = 2 * tiles * min(tile, max(mean, 8)) * width * inner * (3 if exact else 1)
        self.add(part, memory, max(cache, memory), operations, 1, math.ceil(tiles * math.ceil(width / block)), tiles * width * inner * instructions / 8)

    def rows(self, part, rows, width, bytes_of_number):
        self.add(part, rows * width * bytes_of_number, rows * width * bytes_of_number, 0)

    def attention(self, rows, keys, heads, kv_heads, size):
        """Blocks of 64 rows (32 for heads over 256) read keys and values; those split by size score twice."""
        blocks = kv_heads * math.ceil(rows * heads / kv_heads / (32 if size > 256 else 64))
        memory = keys * kv_heads * size * 4 + rows * heads * size * 4
        self.add("attention", memory, blocks * keys * size * 4, (6 if size > 256 else 4) * rows * heads * keys * size, 1, blocks)

    def bounds(self, card):
        """Seconds of each part by what bounds its kernels."""
        memory_rate, rate = CARDS[card]
        times = {}
        for part, (_, _, _, _, kernels) in self.parts.items():
            by = times.setdefault(part, {})
            for memory, cache, operations, launches, blocks, expansion in kernels:
                busy = blocks / MULTIPROCESSORS
                limits = {"memory": memory / memory_rate, "cache": cache / min(CACHE_RATE, blocks * MULTIPROCESSOR_RATE),
                          "tensor cores": operations / rate / busy, "expansion": expansion / EXPANSION_RATE / busy}
                most = max(limits, key=limits.get)
                for bound, seconds in ((most, limits[most]), ("launches", launches * LAUNCH)):
                    by[bound] = by.get(bound, 0) + seconds
        return times

    def seconds(self, card):
        return {part: sum(by.values()) for part, by in self.bounds(card).items()}


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
    for first in range(0, rows, 256):
        group = min(rows - first, 256)
        step.rows("draw", group, inner, 4)
        head = Step("BF16" if soft or step.weights == "BF16" else "FP8")
        head.product("vocabulary", group, vocabulary, inner)
        for kernel in head.parts["vocabulary"][4]:
            step.add("vocabulary", *kernel)
        numbers = group * vocabulary * 4
        step.add("draw", numbers, numbers, 0, 1, math.ceil(group / 64) * math.ceil(vocabulary / 1024))
        step.add("draw", group * vocabulary / 64 * 8, group * vocabulary / 64 * 8, 0, 1, group)
        if not soft:
            continue
        runs = math.ceil(vocabulary / 32768)
        step.add("soft embeddings", numbers * 1.5, numbers * 1.5, 0, 1, group * runs)
        tile = 128 if group > 64 else 64
        tiles, blocks = math.ceil(group / tile), math.ceil(inner / 128)
        embeddings, sums = vocabulary * inner * 2, runs * group * inner * 4
        memory = embeddings + numbers / 2 + sums
        step.add("soft embeddings", memory, max(memory, tiles * embeddings + blocks * numbers / 2), 2 * tiles * min(tile, max(group, 8)) * vocabulary * inner, 1, tiles * blocks * runs)
        step.add("soft embeddings", sums, sums, 0, 1, group)


def llada(rows, weights="BF16"):
    step = Step(weights)
    width, inner, layers = 4096, 12288, 32
    for _ in range(layers):
        step.rows("norms, heads", rows, width, 6)
        step.rows("norms, heads", rows, width, 6)
        step.product("attention products", rows, width, width)
        step.product("attention products", rows, 2 * width, width)
        step.rows("norms, heads", rows, width, 6)
        step.rows("norms, heads", rows, 2 * width, 6)
        step.attention(rows, rows, 32, 32, 128)
        step.product("attention products", rows, width, width, adds=True)
        step.product("feed-forward", rows, inner, width, gated=True)
        step.product("feed-forward", rows, width, inner, adds=True)
    candidates(step, rows, 126464, width, False)
    return step


def diffusion_gemma(rows, context, weights="BF16"):
    step = Step(weights)
    width = 2816
    step.product("self-conditioning", rows, 2112, width, gated=True)
    step.product("self-conditioning", rows, width, 2112, adds=True)
    for layer in range(30):
        full = layer % 6 == 5
        heads, kv_heads, size = (16, 2, 512) if full else (16, 8, 256)
        keys = context + rows if full else min(context, 1024) + rows
        step.product("attention products", rows, heads * size, width)
        step.product("attention products", rows, 2 * kv_heads * size, width)
        step.rows("norms, heads", rows, heads * size, 6)
        step.rows("norms, heads", rows, 2 * kv_heads * size, 6)
        step.attention(rows, keys, heads, kv_heads, size)
        step.product("attention products", rows, width, heads * size)
        step.rows("norms, heads", rows, width, 4 + 8 + 2 + 4 + 2)  # a branch, the residual, three outputs
        step.product("dense feed-forward", rows, 2112, width, gated=True)
        step.product("dense feed-forward", rows, width, 2112)
        step.product("router", rows, 128, width, exact=True)
        step.rows("router", rows, 128, 8)
        step.rows("router", rows * 8, 1, 128 * 4)
        step.rows("router", rows * 8, width, 4)
        step.product("experts", rows * 8, 704, width, groups=128, gated=True)
        step.product("experts", rows * 8, width, 704, groups=128)
        step.rows("router", rows * 8, width, 4.5)
        step.rows("norms, heads", rows, width, 8 + 8 + 8 + 2)  # two branches, their sum, the residual, one output
    candidates(step, rows, 262144, width, True)
    return step


def print_step(title, step):
    print(f"{title}, BF16\n")
    times = {card: step.seconds(card) for card in CARDS}
    print("| part | kernels | GB from memory | GB from the cache | TFLOP | ms H100 | ms H200 |")
    print("|---|---|---|---|---|---|---|")
    totals = [0.0] * 6
    for part, (memory, cache, operations, launches, _) in step.parts.items():
        row = [launches, memory / 1e9, cache / 1e9, operations / 1e12, times["H100"][part] * 1e3, times["H200"][part] * 1e3]
        totals = [a + b for a, b in zip(totals, row)]
        print(f"| {part} | {row[0]} | {row[1]:.2f} | {row[2]:.2f} | {row[3]:.3f} | {row[4]:.2f} | {row[5]:.2f} |")
    print(f"| together | {totals[0]:.0f} | {totals[1]:.2f} | {totals[2]:.2f} | {totals[3]:.3f} | {totals[4]:.2f} | {totals[5]:.2f} |\n")


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
            own = step.seconds("H100")["product"]
            cells.append(f"{own * 1e6:.0f} / {library_product('H100', rows, outputs, inner, gated) * 1e6:.0f}")
        print(f"| {'2 x ' if gated else ''}{outputs} x {inner} | " + " | ".join(cells) + " |")
    print()


def print_formats(title, steps):
    """steps: by format."""
    print(f"{title}: ms of the H100 / of the H200 and what takes most of them on the H100, by format of the weights\n")
    print("| part | " + " | ".join(steps) + " |")
    print("|---|" + "---|" * len(steps))
    bounds = {weights: {card: step.bounds(card) for card in CARDS} for weights, step in steps.items()}
    for part in next(iter(steps.values())).parts:
        cells = []
        for by_card in bounds.values():
            most = max(by_card["H100"][part], key=by_card["H100"][part].get)
            cells.append(" / ".join(f"{sum(by_card[card][part].values()) * 1e3:.2f}" for card in CARDS) + f", {most}")
        print(f"| {part} | " + " | ".join(cells) + " |")
    totals = [" / ".join(f"{sum(step.seconds(card).values()) * 1e3:.2f}" for card in CARDS) for step in steps.values()]
    print("| together | " + " | ".join(totals) + " |\n")


def main():
    root, build = pathlib.Path(sys.argv[1]), pathlib.Path(sys.argv[2])
    spilled = print_kernels(kernels_of(root), compiled(build))
    print_step("LLaDA-8B, 256 rows", llada(256))
    print_step("LLaDA-8B, 32 rows", llada(32))
    print_step("DiffusionGemma-26B-A4B, 256 rows, 4,096 tokens of context", diffusion_gemma(256, 4096))
    print_library_products("LLaDA-8B's products", [(4096, 4096, False), (8192, 4096, False), (12288, 4096, True), (4096, 12288, False)])
    for rows in (256, 32):
        print_formats(f"LLaDA-8B, {rows} rows", {weights: llada(rows, weights) for weights in FORMATS})
    print_formats("DiffusionGemma-26B-A4B, 256 rows, 4,096 tokens of context", {weights: diffusion_gemma(256, 4096, weights) for weights in FORMATS})
    print(f"Bytes spilled by all kernels: {spilled}")
    if spilled > 0:
        sys.exit(1)


main()
