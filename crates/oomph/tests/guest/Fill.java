import java.util.Arrays;

/** Fills as many MiB as it is told, says its pid, and rests. */
public class Fill {
    public static void main(String[] arguments) throws Exception {
        byte[][] blocks = new byte[Integer.parseInt(arguments[0])][];
        for (int at = 0; at < blocks.length; at++) {
            blocks[at] = new byte[1 << 20];
            Arrays.fill(blocks[at], (byte) 1);
            Thread.sleep(20);
        }
        System.out.println("ready " + ProcessHandle.current().pid());
        Thread.sleep(600_000);
        System.exit(blocks.length);
    }
}
