"""Equations of the library's neurons, from the papers named at each.

x/(exp(x) - 1) is written 1/exprel(x), which has no hole at x = 0.
"""

PASSIVE = """
dv/dt = (gL*(EL - v) + I)/C : volt
gL : siemens (constant)
EL : volt (constant)
C : farad (constant)
"""

# Traub & Miles 1991, in the form of Pospischil et al. 2008, with the slow K+ current I_M.
# `phi` multiplies the rates of m, h and n.
_TRAUB = """
dm/dt = phi*(am*(1 - m) - bm*m) : 1
dh/dt = phi*(ah*(1 - h) - bh*h) : 1
dn/dt = phi*(an*(1 - n) - bn*n) : 1
dp/dt = (pinf - p)/taup : 1
u = v - VT : volt
am = 1.28/ms/exprel((13*mV - u)/(4*mV)) : Hz
bm = 1.4/ms/exprel((u - 40*mV)/(5*mV)) : Hz
ah = 0.128/ms*exp((17*mV - u)/(18*mV)) : Hz
bh = 4/ms/(1 + exp((40*mV - u)/(5*mV))) : Hz
an = 0.16/ms/exprel((15*mV - u)/(5*mV)) : Hz
bn = 0.5/ms*exp((10*mV - u)/(40*mV)) : Hz
pinf = 1/(1 + 1/em**2) : 1
taup = taumax/(3.3*em + 1/em) : second
em = exp((v + 35*mV)/(20*mV)) : 1
gL : siemens (constant)
gNa : siemens (constant)
gK : siemens (constant)
gM : siemens (constant)
EL : volt (constant)
ENa : volt (constant)
EK : volt (constant)
VT : volt (constant)
phi : 1 (constant)
taumax : second (constant)
C : farad (constant)
"""
_TRAUB_CURRENT = "gL*(EL - v) + gNa*m**3*h*(ENa - v) + (gK*n**4 + gM*p)*(EK - v)"

REGULAR_SPIKING = f"dv/dt = ({_TRAUB_CURRENT} + I)/C : volt" + _TRAUB

# I_h of Huguenard & McCormick 1992
SAG = (
    f"dv/dt = ({_TRAUB_CURRENT} + gh*r*(Eh - v) + I)/C : volt"
    + _TRAUB
    + """
dr/dt = (rinf - r)/taur : 1
rinf = 1/(1 + exp((v + 75*mV)/(5.5*mV))) : 1
taur = 1*ms/(exp(-14.59 - 0.086*v/mV) + exp(-1.87 + 0.0701*v/mV)) : second
gh : siemens (constant)
Eh : volt (constant)
"""
)

# I_T of Pospischil et al. 2008 (Destexhe et al. 1996): instantaneous activation s, shift 2 mV,
# kinetics at 36 C (Q10 of 3 over 12 degrees: 3.74)
LOW_THRESHOLD = (
    f"dv/dt = ({_TRAUB_CURRENT} + gT*sinf**2*q*(ECa - v) + I)/C : volt"
    + _TRAUB
    + """
dq/dt = (qinf - q)/tauq : 1
sinf = 1/(1 + exp(-(v + 59*mV)/(6.2*mV))) : 1
qinf = 1/(1 + exp((v + 83*mV)/(4*mV))) : 1
tauq = 1*ms/3.74*(30.8 + (211.4 + exp((v + 115.2*mV)/(5*mV)))/(1 + exp((v + 86*mV)/(3.2*mV)))) : second
gT : siemens (constant)
ECa : volt (constant)
"""  # noqa: E501
)

# Golomb et al. 2007: instantaneous m, two-power K+ current, slowly inactivating d current
GOLOMB = """
dv/dt = (gL*(EL - v) + gNa*minf**3*h*(ENa - v) + (gK*n**2 + gd*a**3*b)*(EK - v) + I)/C : volt
dh/dt = (hinf - h)/tauh : 1
dn/dt = (ninf - n)/taun : 1
da/dt = (ainf - a)/(2*ms) : 1
db/dt = (binf - b)/(150*ms) : 1
minf = 1/(1 + exp(-(v + 24*mV)/(11.5*mV))) : 1
hinf = 1/(1 + exp((v + 58.3*mV)/(6.7*mV))) : 1
ninf = 1/(1 + exp(-(v + 12.4*mV)/(6.8*mV))) : 1
ainf = 1/(1 + exp(-(v + 50*mV)/(20*mV))) : 1
binf = 1/(1 + exp((v + 70*mV)/(6*mV))) : 1
tauh = 0.5*ms + 14*ms/(1 + exp((v + 60*mV)/(12*mV))) : second
taun = 1*ms*(0.087 + 11.4/(1 + exp((v + 14.6*mV)/(8.6*mV))))*(0.087 + 11.4/(1 + exp(-(v - 1.3*mV)/(18.7*mV)))) : second
gL : siemens (constant)
gNa : siemens (constant)
gK : siemens (constant)
gd : siemens (constant)
EL : volt (constant)
ENa : volt (constant)
EK : volt (constant)
C : farad (constant)
"""  # noqa: E501

# Wang & Buzsaki 1996: instantaneous m
WANG_BUZSAKI = """
dv/dt = (gL*(EL - v) + gNa*minf**3*h*(ENa - v) + gK*n**4*(EK - v) + I)/C : volt
dh/dt = phi*(ah*(1 - h) - bh*h) : 1
dn/dt = phi*(an*(1 - n) - bn*n) : 1
minf = am/(am + bm) : 1
am = 1/ms/exprel(-(v + 35*mV)/(10*mV)) : Hz
bm = 4/ms*exp(-(v + 60*mV)/(18*mV)) : Hz
ah = 0.07/ms*exp(-(v + 58*mV)/(20*mV)) : Hz
bh = 1/ms/(1 + exp(-(v + 28*mV)/(10*mV))) : Hz
an = 0.1/ms/exprel(-(v + 34*mV)/(10*mV)) : Hz
bn = 0.125/ms*exp(-(v + 44*mV)/(80*mV)) : Hz
gL : siemens (constant)
gNa : siemens (constant)
gK : siemens (constant)
EL : volt (constant)
ENa : volt (constant)
EK : volt (constant)
phi : 1 (constant)
C : farad (constant)
"""

# Brette & Gerstner 2005. The exponent is held at 10 (20 mV above VT the upstroke is then
# already > 2 V/ms) so that no stage of an integrator overflows; the spike is cut at Vcut.
ADEX = """
dv/dt = (gL*(EL - v) + gL*DeltaT*exp(clip((v - VT)/DeltaT, -1000, 10)) - w + I)/C : volt
dw/dt = (a*(v - EL) - w)/tauw : amp
C : farad (constant)
gL : siemens (constant)
EL : volt (constant)
VT : volt (constant)
DeltaT : volt (constant)
a : siemens (constant)
tauw : second (constant)
b : amp (constant)
Vr : volt (constant)
Vcut : volt (constant)
"""
