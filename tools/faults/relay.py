"""A detour for packets: reads them from a TUN device, holds them for a while, loses some, and puts them back.

The kernel's own tool for this, netem, is a module that many kernels lack. Run as a process of its own by network.py.
"""
import fcntl, heapq, os, random, select, struct, sys, time

TUNSETIFF = 0x400454CA
IFF_TUN, IFF_NO_PI = 1, 0x1000


def main(name, milliseconds, loss):
    device = os.open("/dev/net/tun", os.O_RDWR | os.O_NONBLOCK)
    fcntl.ioctl(device, TUNSETIFF, struct.pack("16sH", name.encode(), IFF_TUN | IFF_NO_PI))
    print("ready", flush=True)
    waiting, count = [], 0
    while True:
        now = time.monotonic()
        while waiting and waiting[0][0] <= now:
            try:
                os.write(device, heapq.heappop(waiting)[2])
            except OSError:
                pass  # the device is going down; a lost packet more
        pause = waiting[0][0] - now if waiting else 1
        if not select.select([device], [], [], pause)[0]:
            continue
        try:
            packet = os.read(device, 65536)
        except OSError:
            continue
        if random.random() >= loss and len(waiting) < 20000:
            count += 1
            due = time.monotonic() + milliseconds / 1000 * random.uniform(0.9, 1.1)
            heapq.heappush(waiting, (due, count, packet))


main(sys.argv[1], float(sys.argv[2]), float(sys.argv[3]))
