internal import FileSystem
internal import GraphModel
internal import NIOCore
internal import NIOPosix
internal import Transport

/// One client of the backup service: takes its request, then writes frames as fast as the client takes them.
final class BackupSession: ChannelInboundHandler {
    typealias InboundIn = [UInt8]
    typealias OutboundOut = ByteBuffer

    /// Frames handed to the socket and not yet taken by it: one on the way while the next is read.
    private static let frameCountInFlightMaximum = 2

    private let service: BackupService
    private var timer: Scheduled<Void>?
    private var hasRequest = false
    private var stream: CopyStream?
    private var isProducing = false
    private var isPausing = false
    private var isAtEnd = false
    /// Everything is with the client, which ends the connection once it is on its disk: until then it needs the log.
    private var isTaken = false
    private var frameCountInFlight = 0
    private var lastBufferedByteCount = 0
    private var lastProgress = NIODeadline.now()

    init(_ service: BackupService) { self.service = service }

    func channelActive(context: ChannelHandlerContext) {
        let channel = context.channel
        timer = context.eventLoop.scheduleTask(in: service.options.requestTimeout.timeAmount) {
            channel.close(promise: nil)
        }
        context.fireChannelActive()
    }

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        // A client has one thing to say, but for what it has already of a copy.
        guard !hasRequest else { return select(unwrapInboundIn(data), context) }
        hasRequest = true
        timer?.cancel()
        let frame = unwrapInboundIn(data)
        let service = service
        service.threads.runIfActive(eventLoop: context.eventLoop) { try service.reply(to: frame) }
            .assumeIsolated()
            .whenComplete { result in
                guard context.channel.isActive else { return self.release(try? result.get()) }
                switch result {
                case .success(.last(let answer)): self.writeLast(CopyStream.frame(answer), context)
                case .success(.copy(let stream)):
                    self.stream = stream
                    self.lastProgress = .now()
                    self.watch(context)
                    self.produce(context)
                case .failure: context.close(promise: nil)
                }
            }
    }

    private func select(_ frame: [UInt8], _ context: ChannelHandlerContext) {
        guard let stream, stream.select(CopySelection(bits: frame)) else {
            return context.close(promise: nil)
        }
        lastProgress = .now()
        produce(context)
    }

    /// Has the next frame read when there is room for it.
    private func produce(_ context: ChannelHandlerContext) {
        guard let stream, !isProducing, !isPausing, !isAtEnd, frameCountInFlight < Self.frameCountInFlightMaximum else { return }
        isProducing = true
        let yieldingPace = stream.yields ? service.yieldingPace : nil
        service.threads.runIfActive(eventLoop: context.eventLoop) {
            lowerThreadPriority()
            yieldingPace?.look()
            return try stream.next()
        }
            .assumeIsolated()
            .whenComplete { result in
                self.isProducing = false
                guard context.channel.isActive else { return }
                switch result {
                case .success(let frame?):
                    self.pause(after: frame, context)
                    self.write(frame, context)
                    self.produce(context)
                case .success(nil) where !stream.isAtEnd:
                    if !stream.awaitsSelection { self.produce(context) }
                case .success(nil):
                    self.isAtEnd = true
                    self.endWhenWritten()
                case .failure(let error):
                    self.isAtEnd = true
                    let refusal = error as? GraphError ?? GraphError(.unavailable, "the backup service is closing")
                    self.writeLast(CopyStream.frame(.refusal(refusal)), context)
                }
            }
    }

    /// Keeps to the pace of the service.
    private func pause(after frame: ByteBuffer, _ context: ChannelHandlerContext) {
        let now = monotonicNanoseconds()
        let byteCount = frame.readableBytes
        let pause =
            stream?.yields ?? false
            ? service.yieldingPace.pause(afterSending: byteCount, now: now)
            : service.pace.pause(afterSending: byteCount, now: now)
        if pause == 0 { return }
        isPausing = true
        let time = TimeAmount.nanoseconds(Int64(min(pause, CopyPace.pauseMaximum)))
        context.eventLoop.assumeIsolated().scheduleTask(in: time) {
            self.isPausing = false
            if context.channel.isActive { self.produce(context) }
        }
    }

    private func write(_ frame: ByteBuffer, _ context: ChannelHandlerContext) {
        frameCountInFlight += 1
        context.writeAndFlush(wrapOutboundOut(frame)).assumeIsolated().whenComplete { result in
            self.frameCountInFlight -= 1
            self.lastProgress = .now()
            guard case .success = result else { return }
            self.produce(context)
            self.endWhenWritten()
        }
    }

    private func writeLast(_ frame: ByteBuffer, _ context: ChannelHandlerContext) {
        let channel = context.channel
        context.writeAndFlush(wrapOutboundOut(frame)).whenComplete { _ in channel.close(promise: nil) }
    }

    private func endWhenWritten() {
        guard isAtEnd, !isTaken, frameCountInFlight == 0, stream?.isAtEnd ?? false else { return }
        isTaken = true
        lastProgress = .now()
    }

    /// Cuts off a client that takes nothing.
    private func watch(_ context: ChannelHandlerContext) {
        let timeout = service.options.stallTimeout.timeAmount
        let finishTimeout = service.options.finishTimeout.timeAmount
        let interval = TimeAmount.nanoseconds(max(min(timeout, finishTimeout).nanoseconds / 4, 1_000_000))
        timer = context.eventLoop.assumeIsolated().scheduleTask(in: interval) {
            guard context.channel.isActive else { return }
            let buffered = (try? context.channel.syncOptions?.getOption(.bufferedWritableBytes)) ?? 0
            // A client that looks through what it has already takes nothing, nor one that has it all; both hold the log as well.
            let isAwaited = self.isTaken || self.stream?.awaitsSelection ?? false
            if buffered != self.lastBufferedByteCount || buffered == 0 && !isAwaited { self.lastProgress = .now() }
            self.lastBufferedByteCount = buffered
            let limit = self.isTaken ? finishTimeout : timeout
            if NIODeadline.now() - self.lastProgress >= limit { return context.close(promise: nil) }
            self.watch(context)
        }
    }

    func channelInactive(context: ChannelHandlerContext) {
        timer?.cancel()
        if let stream {
            if isTaken { service.keepLog(of: stream, on: context.eventLoop) }
            release(.copy(stream))
        }
        stream = nil
        context.fireChannelInactive()
    }

    func errorCaught(context: ChannelHandlerContext, error: any Error) { context.close(promise: nil) }

    /// Letting go of a store can unmap and remove files, which is nothing for an event loop.
    private func release(_ reply: BackupService.Reply?) {
        guard let reply, case .copy = reply else { return }
        service.threads.submit { _ in withExtendedLifetime(reply) {} }
    }
}

extension Milliseconds {
    var timeAmount: TimeAmount { .milliseconds(Int64(clamping: rawValue)) }
}
