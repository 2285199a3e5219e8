"""Cases of the stored ones' form (make_resnet_oracle.py), of networks of basic
blocks: torchvision's resnet18 and resnet34 in place of its resnet50.

    make_basic_cases.py ORACLE      writes basic18.h5 and basic34.h5
"""
import importlib.util
import sys

import h5py
import torch
import torchvision

CASES = {18: ["--loss", "softmax", "--optim", "sgd"],
         34: ["--loss", "expectation", "--optim", "adam"]}

path = sys.argv[1]
spec = importlib.util.spec_from_file_location("oracle", path)
oracle = importlib.util.module_from_spec(spec)
spec.loader.exec_module(oracle)
torch.set_num_threads(1)


def build_of(depth):
    def build(stride_on, outputs):
        assert stride_on == "3x3"
        net = getattr(torchvision.models, f"resnet{depth}")()
        net.fc = torch.nn.Sequential(torch.nn.Linear(512, 512),
                                     torch.nn.ReLU(),
                                     torch.nn.Linear(512, outputs))
        return net
    return build


for depth, options in CASES.items():
    out = f"basic{depth}.h5"
    oracle.build = build_of(depth)
    sys.argv = [path, out, "--salt", "271828", "--batch", "3", "--size",
                "64x96", "--stride-on", "3x3", "--steps", "1"] + options
    oracle.main()
    with h5py.File(out, "r+") as f:
        f.attrs["depth"] = depth
