printf '#include <stdio.h>\n#include <stdlib.h>\n__attribute__((constructor)) static void f(void) { char n[99]; snprintf(n, 99, "%%s/planted", getenv("PLANT") ? getenv("PLANT") : "/nowhere"); FILE *o = fopen(n, "a"); if (o) fclose(o); }\n' > p.c
cc -shared -fPIC -o planted.so p.c
