#if MARTLET_TSAN
/// See there: the thread sanitizer does not see through the toolchain's mutex.
typealias Mutex<Value: ~Copyable> = VisibleMutex<Value>
#endif
