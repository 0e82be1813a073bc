# SPDX-License-Identifier: MIT
# The tests name locals and frames of the plain target, so they must be there.

CFLAGS_target_plain := -O0
LIBS_target_plain := -pthread
LIBS_target_server := -pthread
