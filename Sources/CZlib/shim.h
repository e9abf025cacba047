#ifndef MARTLET_ZLIB_SHIM_H
#define MARTLET_ZLIB_SHIM_H

#include <zlib.h>

/// `inflateInit2` is a macro; 16 on top of the window asks for the gzip format.
static inline int martlet_inflate_init(z_stream *stream) { return inflateInit2(stream, 16 + MAX_WBITS); }

#endif
