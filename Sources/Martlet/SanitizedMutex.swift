#if MARTLET_TSAN
internal import FileSystem

/// See there: the thread sanitizer does not see through the toolchain's mutex.
typealias Mutex<Value: ~Copyable> = VisibleMutex<Value>
#endif
