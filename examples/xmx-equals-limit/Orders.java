import java.nio.ByteBuffer;
import java.util.ArrayList;
import java.util.List;

/** Keeps every order, and a buffer for each hundred of them: an ordinary program whose heap may fill its container. */
public class Orders {
    record Order(long id, byte[] body) {}

    public static void main(String[] arguments) throws Exception {
        List<Order> orders = new ArrayList<>();
        List<ByteBuffer> buffers = new ArrayList<>();
        for (long id = 0; ; id++) {
            orders.add(new Order(id, new byte[64 << 10]));
            if (id % 100 == 0) {
                buffers.add(ByteBuffer.allocateDirect(256 << 10));
            }
            Thread.sleep(1);
        }
    }
}
