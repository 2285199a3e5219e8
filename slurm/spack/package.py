# Spack package of gradus: put this folder's content into
# <your repository>/packages/gradus/ and `spack install gradus`.
#
# Not run here: this machine has no Spack.
from spack.package import *


class Gradus(CMakePackage):
    """Ordinal levels from face videos, at cluster scale."""

    git = "https://example.org/gradus.git"  # where your copy is
    license("Apache-2.0")

    version("main", branch="main")

    variant("libxsmm", default=True, description="LIBXSMM backend of the GEMM")

    depends_on("c", type="build")
    depends_on("cmake@3.25:", type="build")
    depends_on("ninja", type="build")
    depends_on("pkgconfig", type="build")
    depends_on("mpi")
    depends_on("hdf5+mpi")
    depends_on("openblas")
    depends_on("libxsmm@1.17", when="+libxsmm")
    depends_on("ffmpeg")
    depends_on("libpng")
    depends_on("libjpeg-turbo")
    depends_on("libfyaml")
    depends_on("cairo")
    depends_on("xxhash")
    depends_on("libzip")
    depends_on("protobuf-c")
    depends_on("cmocka", type="test")

    generator("ninja")

    def cmake_args(self):
        # Spack's compiler wrapper sets the instruction set of the target.
        return [
            self.define("GRADUS_ARCH", ""),
            self.define("GRADUS_TESTS", self.run_tests),
            self.define_from_variant("GRADUS_LIBXSMM", "libxsmm"),
        ]
