"""Make a ResNet-50 of random weights in every format that import reads, a
ResNet-18 and 34 in PyTorch's, what PyTorch computes with them, and files that must be refused; or compare
with it what gradus computed (PROFILE.txt), and what it exported (exported*).

    make_backbones.py make | compare        in the current directory
"""
import collections
import json
import os
import struct
import sys

import h5py
import numpy
import torch
import torchvision

SIZE, IMAGES, BASIC = 64, 3, (18, 34)
torch.set_num_threads(1)
VGGFACE2 = dict(mean=(91.4953, 103.8827, 131.0912), deviation=(1, 1, 1),
                bgr=True)
PROFILES = {
    "torchvision": dict(mean=(123.675, 116.28, 103.53),
                        deviation=(58.395, 57.12, 57.375), bgr=False),
    "vggface2-bgr": VGGFACE2,
    "keras-vggface": VGGFACE2,
}


def network(profile, head=None, depth=50):
    """torchvision's own network, changed to what a profile says."""
    net = getattr(torchvision.models, f"resnet{depth}")()
    if profile != "torchvision":
        for layer in (net.layer2, net.layer3, net.layer4):
            layer[0].conv1.stride, layer[0].conv2.stride = (2, 2), (1, 1)
        net.maxpool = torch.nn.MaxPool2d(3, 2, 0,
                                         ceil_mode=profile != "keras-vggface")
    if profile == "keras-vggface":
        net.conv1.padding = (0, 0)
        net.conv1.register_forward_pre_hook(
            lambda conv, x: (torch.nn.functional.pad(x[0], (2, 3, 2, 3)),))
        for module in net.modules():
            if isinstance(module, torch.nn.BatchNorm2d):
                module.eps = 1e-3
    if head is not None:
        hidden, outputs = head
        net.fc = torch.nn.Sequential(torch.nn.Linear(net.fc.in_features, hidden),
                                     torch.nn.ReLU(),
                                     torch.nn.Linear(hidden, outputs))
    return net.eval()


def randomise(net, last=".bn3."):
    """Blocks add up: the factors of each one's last norm are small."""
    for name, t in net.state_dict().items():
        if name.endswith("running_mean") or name.endswith("bias"):
            t.normal_(0, 0.1)
        elif name.endswith("running_var"):
            t.uniform_(0.5, 1.5)
        elif last in name and t.dim() == 1:
            t.uniform_(0.2, 0.6)
        elif "bn" in name and t.dim() == 1:
            t.uniform_(0.5, 1.5)


def images():
    return numpy.fromfile("images.u8", dtype=numpy.uint8).reshape(
        IMAGES, SIZE, SIZE, 3)


def logits(net, profile):
    p = PROFILES[profile]
    x = images()[..., ::-1] if p["bgr"] else images()
    x = (x.astype(numpy.float64) - p["mean"]) / p["deviation"]
    with torch.no_grad():
        return net.double()(torch.from_numpy(x).permute(0, 3, 1, 2)).numpy()


def safetensors(tensors, path, metadata=None):
    header, data, at = dict(metadata or {}), [], 0
    kinds = {torch.float32: "F32", torch.int64: "I64", torch.float16: "F16"}
    for name, t in tensors.items():
        raw = t.detach().contiguous().numpy().tobytes()
        header[name] = {"dtype": kinds[t.dtype], "shape": list(t.shape),
                        "data_offsets": [at, at + len(raw)]}
        data.append(raw)
        at += len(raw)
    text = json.dumps(header).encode()
    with open(path, "wb") as f:
        f.write(struct.pack("<Q", len(text)) + text)
        f.writelines(data)


def read_safetensors(path):
    data = open(path, "rb").read()
    n = struct.unpack("<Q", data[:8])[0]
    header = json.loads(data[8:8 + n])
    header.pop("__metadata__")
    return {name: torch.from_numpy(numpy.frombuffer(
        data, numpy.float32, offset=8 + n + t["data_offsets"][0],
        count=numpy.prod(t["shape"], dtype=int)).reshape(t["shape"]).copy())
        for name, t in header.items()}


def layer_of(name):
    """layer1.0.bn2.running_var -> conv2_1_3x3/bn, running_var"""
    parts = name.split(".")
    if parts[0] in ("conv1", "bn1"):
        layer, unit = "conv1/7x7_s2", parts[0]
    elif parts[0] == "fc":
        return ".".join(parts[:-1]), parts[-1]
    else:
        unit = parts[2] + ("" if parts[2] != "downsample" else parts[3])
        kinds = {"1": "1x1_reduce", "2": "3x3", "3": "1x1_increase"}
        kind = ("1x1_proj" if parts[2] == "downsample" else kinds[unit[-1]])
        layer = f"conv{int(parts[0][5:]) + 1}_{int(parts[1]) + 1}_{kind}"
    is_bn = unit.startswith("bn") or unit == "downsample1"
    return layer + ("/bn" if is_bn else ""), parts[-1]


KERAS = {"weight": "gamma", "bias": "beta", "running_mean": "moving_mean",
         "running_var": "moving_variance"}


def keras_part(name, t):
    part = name.split(".")[-1]
    if t.dim() == 4:
        return "kernel:0", t.permute(2, 3, 1, 0)
    if name.startswith("fc"):
        return ("kernel:0", t.t()) if t.dim() == 2 else ("bias:0", t)
    return KERAS[part] + ":0", t


def keras(tensors, path, prefix="", twice=True):
    with h5py.File(path, "w") as f:
        for name, t in tensors.items():
            if t.dim() == 0:
                continue
            layer = layer_of(name)[0]
            part, values = keras_part(name, t)
            where = f"{prefix}{layer}/" + (f"{layer}/" if twice else "")
            f[where + part] = values.contiguous().numpy()


def varint(n):
    out = b""
    while n > 127:
        out += bytes([n & 127 | 128])
        n >>= 7
    return out + bytes([n])


def field(number, data):
    return varint(number << 3 | 2) + varint(len(data)) + data


def blob(t):
    shape = b"".join(varint(n) for n in t.shape)
    return field(7, field(5, t.contiguous().numpy().tobytes()) +
                 field(7, field(1, shape)))


def caffe(tensors, path):
    """Statistics are kept as sums there, with their weight beside them."""
    layers = collections.OrderedDict()
    weight = torch.tensor([999.5])
    for name, t in tensors.items():
        layer, part = layer_of(name)
        if t.dim() == 4 or layer == "fc":
            layers.setdefault(layer, {})[int(part == "bias")] = t
        elif part in ("weight", "bias"):
            layers.setdefault(layer + "/scale", {})[int(part == "bias")] = t
        elif t.dim() > 0:
            stats = layers.setdefault(layer, {2: weight})
            stats[int(part == "running_var")] = t * weight
    with open(path, "wb") as f:
        for layer, blobs in layers.items():
            f.write(field(100, field(1, layer.encode()) + b"".join(
                blob(blobs[i]) for i in sorted(blobs))))


class Evil:
    def __reduce__(self):
        return os.system, ("touch ran",)


def make_refused(state):
    """Tensors are read in order, so that a few show most of it."""
    few = {name: state[name] for name in (
        "conv1.weight", "bn1.weight", "bn1.bias", "layer1.0.conv1.weight",
        "layer4.0.downsample.0.weight")}
    small = dict(few)
    small["layer4.0.downsample.0.weight"] = torch.ones(2, 2, 1, 1)
    safetensors(small, "missing.safetensors")
    keras(small, "missing.h5")
    caffe(small, "missing.caffemodel")
    torch.save(small, "missing.pth")
    torch.save(small, "missing_legacy.pth",
               _use_new_zipfile_serialization=False)
    deep = dict(small)
    deep["layer3.22.conv1.weight"] = torch.ones(256, 1024, 1, 1)
    safetensors(deep, "deep.safetensors")
    turned = dict(small)
    turned["conv1.weight"] = state["conv1.weight"].transpose(0, 1).contiguous()
    torch.save(turned, "shape.pth")
    keras(turned, "shape.h5")
    holed = dict(small)
    holed["bn1.bias"] = state["bn1.bias"].clone()
    holed["bn1.bias"][7] = float("nan")
    torch.save(holed, "nan.pth")
    keras(holed, "nan.h5")
    caffe(holed, "nan.caffemodel")
    half = dict(small)
    half["bn1.weight"] = state["bn1.weight"].half()
    safetensors(half, "half.safetensors")
    torch.save({"model": small, "ema": small}, "two.pth")
    torch.save({"state_dict": small, "x": Evil()}, "evil.pth")
    torch.save({"state_dict": small, "x": Evil()}, "evil_legacy.pth",
               _use_new_zipfile_serialization=False)
    whole = open("missing.safetensors", "rb").read()
    open("cut.safetensors", "wb").write(whole[:-3])
    open("long.safetensors", "wb").write(
        struct.pack("<Q", 1 << 62) + whole[8:])
    open("cut.pth", "wb").write(open("missing.pth", "rb").read()[:-300])
    open("cut.caffemodel", "wb").write(
        open("missing.caffemodel", "rb").read()[:-3])
    open("cut.h5", "wb").write(open("missing.h5", "rb").read()[:-300])
    # Values that lie in other files, which a file of HDF5 can name.
    with h5py.File("external.h5", "w") as f:
        f["conv5_1_1x1_proj/kernel:0"] = numpy.ones((1, 1, 2, 2), "f")
        f.create_dataset("conv1/7x7_s2/kernel:0", (7, 7, 3, 64), "f",
                         external=[("zip.pth", 0, 4 * 7 * 7 * 3 * 64)])
    with h5py.File("linked.h5", "w") as f:
        f["conv5_1_1x1_proj/kernel:0"] = numpy.ones((1, 1, 2, 2), "f")
        f["conv1/7x7_s2/kernel:0"] = h5py.ExternalLink(
            "missing.h5", "/conv1/7x7_s2/conv1/7x7_s2/kernel:0")
    keras(small, "missing_once.h5", prefix="model_weights/", twice=False)


def make_basic(depth):
    net = network("torchvision", depth=depth)
    randomise(net, ".bn2.")
    state = net.state_dict()
    safetensors({"fc.0.weight": torch.eye(512), "fc.0.bias": torch.zeros(512),
                 "fc.2.weight": state["fc.weight"],
                 "fc.2.bias": state["fc.bias"]}, f"head{depth}.safetensors")
    torch.save(state, f"basic{depth}.pth")
    if depth == 18:
        safetensors(state, "basic18.safetensors")
    numpy.save(f"basic{depth}.npy", logits(net, "torchvision"))


def make():
    generator = numpy.random.default_rng(3)
    generator.integers(0, 256, (IMAGES, SIZE, SIZE, 3),
                       dtype=numpy.uint8).tofile("images.u8")
    torch.manual_seed(2)
    net = network("torchvision")
    randomise(net)
    state = net.state_dict()
    # torchvision's own head as one of gradus: features are above 0, so that a
    # hidden layer of ones on its diagonal passes them on.
    head = {"fc.0.weight": torch.eye(2048), "fc.0.bias": torch.zeros(2048),
            "fc.2.weight": state["fc.weight"], "fc.2.bias": state["fc.bias"]}
    safetensors(head, "head.safetensors")
    for profile in PROFILES:
        own = network(profile)
        own.load_state_dict(state)
        numpy.save(profile + ".npy", logits(own, profile))
    for depth in BASIC:
        make_basic(depth)
    torch.save(state, "zip.pth")
    torch.save({"state_dict": {"module." + k: v for k, v in state.items()},
                "epoch": 3}, "legacy.pth",
               _use_new_zipfile_serialization=False)
    safetensors(state, "net.safetensors")
    keras(state, "net.h5")
    caffe(state, "net.caffemodel")
    make_refused(state)


def compare(name):
    want = numpy.load(name + ".npy")
    found = numpy.loadtxt(name + ".txt")
    scale = numpy.sqrt((want ** 2).mean())
    distance = abs(found - want).max() / scale
    print(f"{name}: largest difference of {want.size} logits {distance:.1e} "
          f"of their scale {scale:.3g}")
    assert numpy.isfinite(found).all() and distance < 1e-4


def reload(net, path, case="torchvision"):
    """PyTorch takes what was exported, and computes what it did before."""
    if path.endswith(".safetensors"):
        state = read_safetensors(path)
    else:
        state = {}
        with h5py.File(path) as f:
            for name, t in net.state_dict().items():
                if "keras" in path and t.dim() > 0:
                    layer = layer_of(name)[0]
                    part, _ = keras_part(name, t)
                    weights = [n.decode() for n in
                               f[layer].attrs["weight_names"]]
                    assert f"{layer}/{part}" in weights, weights
                    assert layer.encode() in f.attrs["layer_names"]
                    values = torch.from_numpy(f[layer][f"{layer}/{part}"][()])
                    state[name] = (values.permute(3, 2, 0, 1) if t.dim() == 4
                                   else values.t() if t.dim() == 2 else values)
                elif t.dim() > 0:
                    state[name] = torch.from_numpy(f[name][()])
    net.load_state_dict(state, strict=True)
    found, want = logits(net, "torchvision"), numpy.load(case + ".npy")
    distance = abs(found - want).max() / numpy.sqrt((want ** 2).mean())
    print(f"{path}: reloaded, differs by {distance:.1e}")
    assert distance < 1e-12


if sys.argv[1] == "make":
    make()
else:
    for profile in PROFILES:
        compare(profile)
    net = network("torchvision", (2048, 1000))
    for path in ("exported.safetensors", "exported_keys.h5",
                 "exported_keras.h5"):
        with torch.no_grad():
            for t in net.state_dict().values():
                t.zero_()
        reload(net, path)
    for depth in BASIC:
        compare(f"basic{depth}")
        reload(network("torchvision", (512, 1000), depth),
               f"exported{depth}.safetensors", f"basic{depth}")
