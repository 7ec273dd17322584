printf '#!/bin/sh\ntouch planted\n' > tool; chmod +x tool; mkdir "$OUTSIDE/bin"; ln -s "$PWD/tool" "$OUTSIDE/bin/tool"
