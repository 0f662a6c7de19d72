import java.io.FileDescriptor;
import java.io.FileOutputStream;
import java.io.IOException;
import java.lang.management.BufferPoolMXBean;
import java.lang.management.ManagementFactory;
import java.lang.management.MemoryPoolMXBean;
import java.lang.management.MemoryUsage;
import java.lang.reflect.Field;
import java.nio.ByteBuffer;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.concurrent.atomic.AtomicLong;

/**
 * Allocates what it is told (MiB of heap, MiB of direct buffers, threads; `netty`: with Netty too), says what the virtual machine's own beans
 * say of it, and stays quiet. Whatever is needed to say so is loaded and allocated before the numbers are taken.
 */
public final class Told {
    private static final List<Object> KEPT = new ArrayList<>();
    private static final char[] LINE = new char[512];
    private static final byte[] BYTES = new byte[512];
    private static final FileOutputStream OUT = new FileOutputStream(FileDescriptor.out);
    private static int length;

    public static void main(String[] arguments) throws Exception {
        int heap = Integer.parseInt(arguments[0]);
        int direct = Integer.parseInt(arguments[1]);
        int threads = Integer.parseInt(arguments[2]);
        for (int i = 0; i < heap; i++) {
            // Just under 1 MiB, so that no collector needs more than it for an array.
            byte[] array = new byte[(1 << 20) - 64];
            array[5] = 1;
            KEPT.add(array);
        }
        for (int i = 0; i < direct; i++) {
            ByteBuffer buffer = ByteBuffer.allocateDirect(1 << 20);
            for (int at = 0; at < 1 << 20; at += 4096) {
                buffer.put(at, (byte) 1);
            }
            KEPT.add(buffer);
        }
        for (int i = 0; i < threads; i++) {
            Thread thread = new Thread(() -> deep(500), "idle-" + i);
            thread.setDaemon(true);
            thread.start();
        }
        List<String> also = Arrays.asList(arguments).subList(3, arguments.length);
        Class<?> netty = also.contains("netty") ? netty() : null;
        if (!also.contains("no-gc")) {
            System.gc();
        }
        BufferPoolMXBean pool = null;
        for (BufferPoolMXBean bean : ManagementFactory.getPlatformMXBeans(BufferPoolMXBean.class)) {
            if (bean.getName().equals("direct")) {
                pool = bean;
            }
        }
        long metaspace = 0;
        // Twice: the first time loads classes and makes garbage, which the second then finds there.
        for (int turn = 0; turn < 3; turn++) {
            if (turn > 0) {
                Thread.sleep(700);
            }
            length = 0;
            for (MemoryPoolMXBean bean : ManagementFactory.getMemoryPoolMXBeans()) {
                if (bean.getName().equals("Metaspace")) {
                    metaspace = bean.getUsage().getCommitted();
                }
            }
            word("direct=", pool.getMemoryUsed());
            word(" netty=", netty == null ? -1 : counter(netty));
            word(" metaspace=", metaspace);
            word(" threads=", ManagementFactory.getThreadMXBean().getThreadCount());
            // Last: what is allocated from here on is not in it.
            MemoryUsage usage = ManagementFactory.getMemoryMXBean().getHeapMemoryUsage();
            word(" used=", usage.getUsed());
            word(" committed=", usage.getCommitted());
            word(" max=", usage.getMax());
        }
        LINE[length++] = '\n';
        say();
        Thread.sleep(Long.MAX_VALUE);
    }

    /** Appends without allocating. */
    private static void word(String name, long value) {
        for (int i = 0; i < name.length(); i++) {
            LINE[length++] = name.charAt(i);
        }
        if (value < 0) {
            LINE[length++] = '-';
            value = -value;
        }
        long scale = 1;
        while (value / scale >= 10) {
            scale *= 10;
        }
        for (; scale > 0; scale /= 10) {
            LINE[length++] = (char) ('0' + value / scale % 10);
        }
    }

    private static void say() throws IOException {
        for (int i = 0; i < length; i++) {
            BYTES[i] = (byte) LINE[i];
        }
        OUT.write(BYTES, 0, length);
    }

    private static int deep(int levels) {
        if (levels > 0) {
            return deep(levels - 1) + 1;
        }
        try {
            Thread.sleep(Long.MAX_VALUE);
        } catch (InterruptedException e) {
            return 0;
        }
        return 0;
    }

    /** Netty's buffers that java.nio does not count. */
    private static Class<?> netty() throws Exception {
        Class<?> platform = Class.forName("io.netty.util.internal.PlatformDependent");
        KEPT.add(platform.getMethod("allocateDirectNoCleaner", int.class).invoke(null, 3 << 20));
        return platform;
    }

    private static long counter(Class<?> platform) throws Exception {
        Field field = platform.getDeclaredField("DIRECT_MEMORY_COUNTER");
        field.setAccessible(true);
        return ((AtomicLong) field.get(null)).get();
    }
}
