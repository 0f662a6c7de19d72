import java.nio.ByteBuffer;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;

/** Memory of one shape: leak (of direct buffers), spike or steady. */
public class Load {
    static byte[][] filled(int mib) {
        byte[][] blocks = new byte[mib][1 << 20];
        for (byte[] block : blocks) Arrays.fill(block, (byte) 1);
        return blocks;
    }

    public static void main(String[] arguments) throws Exception {
        List<Object> keep = new ArrayList<>();
        while (arguments[0].equals("leak")) {
            ByteBuffer buffer = ByteBuffer.allocateDirect(1 << 20);
            while (buffer.hasRemaining()) buffer.putLong(1);
            keep.add(buffer);
            Thread.sleep(400);
        }
        keep.add(filled(40));
        Thread.sleep(3000);
        if (arguments[0].equals("spike")) {
            byte[][] peak = filled(40);
            Thread.sleep(1500);
            if (peak[7][7] != 1) System.exit(1);
        }
        Thread.sleep(2000);
        System.exit(keep.size() == 1 ? 0 : 1);
    }
}
